const NAMES = [
  'Ada',
  'Alan',
  'Barbara',
  'Claude',
  'Edsger',
  'Emmy',
  'Grace',
  'Kurt',
  'Leslie',
  'Margaret',
  'Radia',
  'Sophie',
];
const COLORS = ['#0f766e', '#1d4ed8', '#7c3aed', '#be185d', '#b45309', '#4d7c0f', '#0369a1', '#a21caf'];

const random = crypto.getRandomValues(new Uint8Array(2));

/** Who this tab is: `?name=` in the address, or somebody. */
export const me = {
  id: crypto.randomUUID(),
  name: new URLSearchParams(location.search).get('name') ?? NAMES[random[0] % NAMES.length],
  color: COLORS[random[1] % COLORS.length],
};
