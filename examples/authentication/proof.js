// Both halves: what a secret that both ends know proves about this very connection, and about no other.
const utf8 = new TextEncoder();

/** One label for each direction: what one end has said cannot be said back to it. */
export const FROM_CLIENT = 'EXPORTER-example-login-client';
export const FROM_SERVER = 'EXPORTER-example-login-server';

/** @param socket an open one; whoever sits between has another channel to each end, and so other keys */
async function keyAndChannel(secret, socket, label) {
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  return [
    await crypto.subtle.importKey('raw', utf8.encode(secret), hmac, false, ['sign', 'verify']),
    await socket.pq.exportKey(label, 32),
  ];
}

export async function prove(secret, socket, label) {
  const [key, channel] = await keyAndChannel(secret, socket, label);
  return btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.sign('HMAC', key, channel))));
}

/** Compares in constant time. */
export async function verify(secret, socket, label, proof) {
  const [key, channel] = await keyAndChannel(secret, socket, label);
  return crypto.subtle.verify(
    'HMAC',
    key,
    Uint8Array.from(atob(proof), (letter) => letter.charCodeAt(0)),
    channel,
  );
}
