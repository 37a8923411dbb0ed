/** The code with which the next connection to a server ends, as the server hears it: 1006 where nobody said goodbye. */
export const nextEnd = (server) =>
  new Promise((resolve) => {
    server.once('connection', (socket) => socket.once('close', (code) => resolve(code)));
  });

/** A promise, and what settles it. */
export function deferred() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
