/** The cases of the extensions, which run where the command line has an option of theirs (test/interop/README.md). */
import { sha256 } from '@noble/hashes/sha2.js';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { fromHex, sameBytes, toHex } from './bytes.ts';
import type { Case, Plan } from './cases.ts';
import { sendUpdated } from './cases.ts';
import type { ClientEnd } from './client-end.ts';
import type { PeerArguments } from './options.ts';

/** With those of the clocks, within the eight that an end allows at once: a case that waits ten seconds for the next shows nothing more. */
const ROUNDS = 4;
const LONGEST_PING = 125;
/** Fast enough that a case waits for the clock. */
const OFTEN_MS = 1000;

export function exchangesOften(given: PeerArguments): boolean {
  const after = Number(given['exchange-ms'] ?? Number.NaN);
  return after > 0 && after <= OFTEN_MS;
}

export const pingsOften = ({ heartbeat }: PeerArguments): boolean => heartbeat !== undefined && heartbeat !== 'off';

/** Asks until an exchange of either end's clock does not come between question and answer. */
async function sameGeneration(end: ClientEnd): Promise<void> {
  let [ours, theirs] = ['', ''];
  for (let i = 0; i < 20; i += 1) {
    end.socket.send('!generation');
    theirs = String(await end.receive());
    ours = String(end.socket.pq.generation);
    if (ours === theirs) return;
  }
  throw new Error(`generations ${ours} and ${theirs}`);
}

async function exchangeOwn(end: ClientEnd): Promise<void> {
  for (let i = 0; i < 3; i += 1) {
    const before = end.socket.pq.generation;
    await end.socket.pq.exchange();
    if (end.socket.pq.generation <= before) throw new Error('the generation has not changed');
    await end.echo('in the new generation');
    sendUpdated(end, 'after an update in it');
    await end.expect('after an update in it');
    await end.ask('!update', 'updated');
  }
  await sameGeneration(end);
}

async function exchangePeer(end: ClientEnd): Promise<void> {
  for (let i = 0; i < 3; i += 1) {
    const before = end.socket.pq.generation;
    await end.ask('!exchange', 'exchanged');
    if (end.socket.pq.generation <= before) throw new Error('the generation has not changed');
  }
  await sameGeneration(end);
}

/** Messages, updates and exchanges of both ends are under way at once. */
async function exchangeBoth(end: ClientEnd): Promise<void> {
  let over = false;
  const exchanges = (async (): Promise<void> => {
    for (let i = 0; i < ROUNDS; i += 1) await end.socket.pq.exchange();
    over = true;
  })();
  let told = false;
  end.socket.send('!exchange');
  const talk = (async (): Promise<void> => {
    for (let i = 0; !told || !over; i += 1) {
      sendUpdated(end, `message ${i}`);
      // The word that an exchange is complete comes when it comes, the echoes in their order.
      let got = await end.receive();
      if (got === 'exchanged') {
        told = true;
        got = await end.receive();
      }
      if (got !== `message ${i}`) throw new Error(`message ${i} came back as something else`);
    }
  })();
  await Promise.all([exchanges, talk]);
  await sameGeneration(end);
}

/** It only talks: the clock of either end does the rest. */
async function exchangeTimer(end: ClientEnd, { given }: Plan): Promise<void> {
  for (let i = 0; exchangesOften(given) && end.socket.pq.generation < 3; i += 1) await end.echo(`${i}`);
  await sameGeneration(end);
}

/** A close right behind the offer. */
async function exchangeClose(end: ClientEnd): Promise<void> {
  const overtaken = end.socket.pq.exchange().catch(() => undefined);
  end.socket.close(4321, 'bye');
  await end.ended({ code: 4321, reason: 'bye', wasClean: true });
  await overtaken;
}

/** The server closes in an exchange that it has asked for, or right behind it. */
async function exchangeClosePeer(end: ClientEnd): Promise<void> {
  end.socket.send('!exchange');
  end.socket.send('!close 4000 why');
  await end.receive().catch(() => undefined);
  await end.ended({ code: 4000, reason: 'why', wasClean: true });
}

/** Exports and the transcript hash stay the handshake's. */
async function exchangeExporter(end: ClientEnd): Promise<void> {
  const facts = async (): Promise<string[]> => [
    toHex(await end.socket.pq.exportKey('interop', 32)),
    toHex(end.socket.pq.transcriptHash ?? new Uint8Array()),
  ];
  const before = await facts();
  await end.socket.pq.exchange();
  const after = await facts();
  if (before.join() !== after.join()) throw new Error('exports or the transcript hash have changed');
  await end.ask('!export interop 32', after[0] ?? '');
  await end.ask('!hash', after[1] ?? '');
}

async function pingOwn(end: ClientEnd): Promise<void> {
  for (let size = 0; size <= LONGEST_PING; size += 1) {
    const data = new Uint8Array(size).fill(size);
    if (!sameBytes(await end.socket.pq.ping(data), data)) throw new Error(`${size} bytes: a pong of another content`);
  }
  await end.echo('after the pings');
}

async function pingPeer(end: ClientEnd): Promise<void> {
  for (const data of ['', ' x', ` ${'\0'.repeat(100)}`]) await end.ask(`!ping${data}`, 'ponged');
  await end.echo('after the pings');
}

const EXCHANGES: Readonly<Record<string, Case>> = {
  'exchange-own': exchangeOwn,
  'exchange-peer': exchangePeer,
  'exchange-both': exchangeBoth,
  'exchange-timer': exchangeTimer,
  'exchange-close': exchangeClose,
  'exchange-close-peer': exchangeClosePeer,
  'exchange-exporter': exchangeExporter,
};

const HEARTBEATS: Readonly<Record<string, Case>> = { 'ping-own': pingOwn, 'ping-peer': pingPeer };

/** In the order of the contract. */
export function extensionCasesOf(given: PeerArguments): Readonly<Record<string, Case>> {
  const cases: Record<string, Case> = {};
  if (given.kem !== undefined) cases['kem'] = (end) => end.ask('!kem', end.socket.pq.kem);
  if (given['exchange-ms'] !== undefined && given['exchange-ms'] !== '0') Object.assign(cases, EXCHANGES);
  const { identity } = given;
  if (identity !== undefined) {
    const fingerprint = toHex(sha256(ml_dsa65.keygen(fromHex(identity)).publicKey));
    cases['peer-key'] = (end) => end.ask('!peer-key', fingerprint);
  }
  if (pingsOften(given)) Object.assign(cases, HEARTBEATS);
  return cases;
}
