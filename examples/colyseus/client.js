import { install } from 'pq-websocket/polyfill';

install(); // the line that is new: @colyseus/sdk keeps the global WebSocket that it finds when it loads, so it is imported after this
const { Client } = await import('@colyseus/sdk');

/** @param options of the SDK's client, as `urlBuilder` */
export const join = (url, name, options = {}) =>
  new Client(url.replace('ws:', 'http:'), options).joinOrCreate('table', { name });

export async function runClient(url, text = 'hello, table', options = {}) {
  const [ada, ben] = [await join(url, 'Ada', options), await join(url, 'Ben', options)];
  const heard = new Promise((resolve) => ben.onMessage('said', ({ name, text: what }) => resolve(`${name}: ${what}`)));
  const seated = new Promise((resolve) => {
    const look = (state) =>
      state?.seats?.size === 2 && resolve([...state.seats.values()].map((seat) => seat.name).sort());
    ben.onStateChange(look);
    look(ben.state);
  });
  ada.send('say', text);
  const said = [(await seated).join(', '), await heard];
  await Promise.all([ada.leave(), ben.leave()]);
  return said;
}
