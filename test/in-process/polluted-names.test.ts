/**
 * One name at a time on a process's `Object.prototype`, each with values of several types: every optional member that objects of ours are
 * asked for. Nothing is said in the clear, no pin is lost, no profile changes, and nobody's function is called.
 * Left out are those by which Node itself comes to a stop: `get`, `set`, `value`, `then`, `signal`.
 */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { publicKeyOf } from '../../src/keys.ts';
import { install } from '../../src/polyfill.ts';
import { pollute } from '../support/pollution.ts';
import { connect, connected, secureServer, useMode } from '../support/endpoints.ts';
import { assertSealed } from '../support/tap.ts';

const NAMES = `
  accepted acceptsAnonymous asText attest attestation authenticate backend batches closeCode closeHolder config
  content context drop fastMask earlyHello encapsulationRandomness exchange extensions failure fastOpen features finishRequest
  grease handshakeTimeout heartbeat hello hkdf holdClose holdsBack identity hold joinFrames limit writeJoined ws
  include init installed isProtected kem kems keyLog keySeed keysDrawNonces sealFresh known maxPayload maxQueuedBytes
  messagesAsTasks native nativeStream offer padded padding peerKey pins prepare profile profiles protocols prove
  publicKey queueTask readsAlone receipt refuseClone rekey sent serverKeys sign signature strict takeFrame passphrase
  timersChanged toBuffer uninstall verify verifyAttestation warn watch WebSocket writeFrame yellowpages 0 1
`
  .trim()
  .split(/\s+/);
const called = vi.fn();
const VALUES = [true, 'yellowpages', 7, { verify: called, interval: 1 }, ['yellowpages'], called];
const SECRET = 'what nobody else is to read';

describe.each(['node', 'web'] as const)('in mode %s', (mode) => {
  useMode(mode);

  test.each(NAMES)('%s', async (name) => {
    const identity = new Uint8Array(32).fill(1);
    const [pin, another] = await Promise.all([identity, identity.map(() => 2)].map((seed) => publicKeyOf(seed)));
    const server = await secureServer({ channel: { identity } });
    called.mockClear();
    for (const value of VALUES) {
      pollute({ [name]: value });
      const { client, peer } = await connected(server, { serverKeys: pin as Uint8Array });
      client.socket.send(SECRET);
      client.socket.send(new Blob([SECRET]));
      peer.socket.send(SECRET);
      const heard = [await peer.seen.next(), await peer.seen.next(), await client.seen.next()];
      expect(heard.map((data) => (typeof data === 'string' ? data : Buffer.from(data as ArrayBuffer)))).toEqual([
        SECRET,
        Buffer.from(SECRET),
        SECRET,
      ]);
      expect([client.socket.pq.profile, client.socket.pq.peerKey]).toEqual(['v1', pin]);
      client.socket.close(4000, SECRET);
      expect(await client.seen.closed).toEqual({ code: 4000, reason: SECRET, wasClean: true });

      const misled = connect(server.url, { serverKeys: another as Uint8Array });
      (await server.nextPeer()).socket.pq.finished.catch(() => undefined);
      expect((await misled.seen.closed).code).toBe(3770);
      expect(misled.seen.log).not.toContain('open');
    }
    expect(called).not.toHaveBeenCalled();
    assertSealed(server.tap, [SECRET]);
  });
});

test.each(VALUES)('the polyfill secures every socket, with %o as `include`', async (include) => {
  const server = await secureServer();
  pollute({ include });
  const { uninstall } = install();
  onTestFinished(() => void uninstall());
  const socket = new WebSocket(server.url);
  socket.addEventListener('open', () => {
    socket.send(SECRET);
  });
  const { seen } = await server.nextPeer();
  expect(await seen.next()).toBe(SECRET);
  socket.close();
  assertSealed(server.tap, [SECRET]);
});
