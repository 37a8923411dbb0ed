/**
 * Who may import whom in src (ARCHITECTURE.md, "The rooms"): only to the right, and never in a circle. Type-only imports
 * count, since a reader follows them too.
 */
const ROOMS = [
  'entries',
  'msw',
  'ws',
  'dom',
  'connection',
  'transport',
  'options',
  'platform',
  'protocol',
  'crypto',
  'api',
  'base',
];

/** Where a room lies; an entry is a file of src itself. */
const pathOf = (room) => (room === 'entries' ? '^src/[^/]+\\.ts$' : `^src/${room}/`);

/** Left of a room: nothing in it may be imported from there. */
const arrows = ROOMS.slice(1).map((room, index) => ({
  name: `rooms-${room}`,
  severity: 'error',
  comment: `${room} may import itself and the rooms to its right: ${ROOMS.slice(index + 2).join(', ') || 'none'}.`,
  from: { path: pathOf(room) },
  to: { path: ROOMS.slice(0, index + 1).map(pathOf) },
}));

export default {
  forbidden: [
    ...arrows,
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'A circle cannot be read from the bottom up.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'protocol-takes-interfaces',
      severity: 'error',
      comment: 'protocol/ knows the interfaces of crypto/ and none of its implementations.',
      from: { path: '^src/protocol/' },
      to: { path: '^src/crypto/(noble|node|webcrypto)/' },
    },
    {
      name: 'sans-io',
      severity: 'error',
      comment:
        'protocol/, base/ and api/ have no platform: no package, no built-in module, but in what Node alone has in the place of a module.',
      from: { path: '^src/(protocol|base|api)/', pathNot: '^src/base/[^/]+-node\\.ts$' },
      to: { dependencyTypes: ['npm', 'core'] },
    },
    {
      name: 'no-cipher-above',
      severity: 'error',
      comment: 'connection/ and what lies left of it knows no cipher: the platform chooses the implementation.',
      from: { path: ['^src/(connection|dom|ws|msw|transport|options)/', '^src/[^/]+\\.ts$'] },
      to: { path: ['^src/crypto/(noble|node|webcrypto)/', '@noble/'] },
    },
    {
      name: 'packages-by-entry',
      severity: 'error',
      comment: "Another package takes the root's entries by name, and nothing of its src.",
      from: { path: '^packages/([^/]+)/src/' },
      to: { path: ['^src/', '^packages/'], pathNot: '^packages/$1/', dependencyTypesNot: ['aliased'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['^dist/', '^packages/[^/]+/dist/'] },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['node', 'import', 'types'] },
  },
};
