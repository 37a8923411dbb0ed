/** The code with which the next connection to a server ends, as the server hears it: 1006 where nobody said goodbye. */
export const nextEnd = (server) =>
  new Promise((resolve) => {
    server.once('connection', (socket) => socket.once('close', (code) => resolve(code)));
  });

/** Settles when a server hears a message that is meant, from whomever is connected now. */
export const heard = (server, isMeant) =>
  new Promise((resolve) => {
    for (const socket of server.clients) socket.on('message', (data) => isMeant(String(data)) && resolve());
  });

/** A promise, and what settles it. */
export function deferred() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
