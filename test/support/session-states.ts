/** An end in any state that it can be in, for what has to be tried in every one. */
import type { CryptoBackend } from '../../src/crypto/backend.ts';
import { plainHello } from './plain-hello.ts';
import type { State } from '../../src/protocol/v1/states.ts';
import { turn } from './counting-backend.ts';
import type { End } from './session-pair.ts';
import { BACKENDS, connected, SessionPair } from './session-pair.ts';

export interface Placed {
  readonly pair: SessionPair;
  readonly end: End;
}

const never = (): Promise<never> => new Promise(() => undefined);

/** The client's hello has reached the server, which has replied. */
async function replied(backend: CryptoBackend | undefined, prove?: () => Promise<never>): Promise<SessionPair> {
  const pair = new SessionPair({ ...(backend && { backend }), server: { prove } });
  pair.client.session.start();
  await pair.settle();
  pair.deliver('client');
  await pair.settle();
  return pair;
}

/** The client's hello has come with the upgrade request, and its text is on its way. */
async function early(backend: CryptoBackend | undefined, prove?: () => Promise<never>): Promise<Placed> {
  const keyPair = await (backend ?? BACKENDS.node).generateKeyPair(new Uint8Array(64));
  const clientHello = plainHello(keyPair.encapsulationKey);
  const pair = new SessionPair({
    ...(backend && { backend }),
    client: {
      hello: { keyPairs: new Map([['ml-kem-768', keyPair]]), clientHello },
      offer: { application: false },
    },
    server: { prove, earlyHello: clientHello },
  });
  pair.server.session.start();
  pair.client.session.start('pqws1');
  await pair.settle();
  return { pair, end: pair.server };
}

/** How an end gets into a state; the peer's close, where there is one, says 4001 "peer", its own 4002 "own". */
const WAYS: Record<State, (backend?: CryptoBackend) => Promise<Placed>> = {
  'client: idle': async (backend) => {
    const pair = new SessionPair(backend && { backend });
    return { pair, end: pair.client };
  },
  'client: awaiting server hello': async (backend) => {
    const pair = new SessionPair(backend && { backend });
    pair.client.session.start();
    await pair.settle();
    return { pair, end: pair.client };
  },
  'client: awaiting finished': async (backend) => {
    const pair = await replied(backend);
    pair.deliver('server');
    await pair.settle();
    return { pair, end: pair.client };
  },
  'client: verifying': async (backend) => {
    const pair = new SessionPair({ ...(backend && { backend }), client: { authenticate: never } });
    await pair.connect();
    return { pair, end: pair.client };
  },
  'client: signing': async (backend) => {
    const features = new Set(['client_identity'] as const);
    const pair = new SessionPair({
      ...(backend && { backend }),
      both: { features },
      client: { prove: never },
      server: { authenticate: never },
    });
    await pair.connect();
    return { pair, end: pair.client };
  },
  'server: verifying client': async (backend) => {
    const features = new Set(['client_identity'] as const);
    const pair = new SessionPair({
      ...(backend && { backend }),
      both: { features },
      client: { prove: () => ({}) },
      server: { authenticate: never },
    });
    await pair.connect();
    return { pair, end: pair.server };
  },
  'server: awaiting client hello': async (backend) => {
    const pair = new SessionPair(backend && { backend });
    return { pair, end: pair.server };
  },
  'server: replying': async (backend) => {
    const pair = await replied(backend, never);
    return { pair, end: pair.server };
  },
  'server: answering early': (backend) => early(backend, never),
  'server: awaiting repeated hello': (backend) => early(backend),
  'server: closing unrepeated': async (backend) => {
    const placed = await early(backend);
    placed.end.close(4002, 'own');
    await placed.pair.settle();
    return placed;
  },
  'server: awaiting finished': async (backend) => {
    const pair = await replied(backend);
    return { pair, end: pair.server };
  },
  'server: closing unconfirmed': async (backend) => {
    const pair = await replied(backend);
    pair.server.close(4002, 'own');
    await pair.settle();
    return { pair, end: pair.server };
  },
  open: async (backend) => {
    const pair = await connected(backend && { backend });
    return { pair, end: pair.client };
  },
  'close sent': async (backend) => {
    const pair = await connected(backend && { backend });
    pair.client.close(4002, 'own');
    await pair.settle();
    return { pair, end: pair.client };
  },
  finishing: async (backend) => {
    const pair = await connected(backend && { backend });
    pair.server.close(4001, 'peer');
    await pair.settle();
    pair.backend.hold('seal');
    pair.deliver('server');
    while (pair.client.session.state === 'open') await turn();
    return { pair, end: pair.client };
  },
  ended: async (backend) => {
    const pair = await connected(backend && { backend });
    pair.server.close(4001, 'peer');
    await pair.settle();
    pair.deliver('server');
    await pair.settle();
    return { pair, end: pair.client };
  },
  failed: async (backend) => {
    const pair = await connected(backend && { backend });
    pair.client.session.abort('PQ_ERR_RECORD');
    return { pair, end: pair.client };
  },
};

export const ALL_STATES = Object.keys(WAYS) as State[];

/** @throws {Error} when the end did not get there */
export async function inState(state: State, backend?: CryptoBackend): Promise<Placed> {
  const placed = await WAYS[state](backend);
  if (placed.end.session.state !== state)
    throw new Error(`in state '${placed.end.session.state}' instead of '${state}'`);
  return placed;
}
