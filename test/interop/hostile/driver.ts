/** Plays the hostile cases against an implementation, in the manner of BoringSSL's BoGo, and judges what it does. */
import { rawClient, rawServer } from '../../support/raw-peer.ts';
import type { RawPeer } from '../../support/raw-peer.ts';
import type { Peer, RunningServer, Verdict } from '../peers.ts';
import { wantedReason } from '../wanted.ts';
import type { HostileCase } from './case.ts';
import { leftOutReason } from './cases.ts';
import { Stranger } from './stranger.ts';

export type Outcome =
  | { readonly type: 'refused' }
  | { readonly type: 'hole'; readonly detail: string }
  | { readonly type: 'left out'; readonly reason: string };

/** 65,536 frames take their time on a busy machine. */
const CASE_LIMIT_MS = 120_000;
const CLIENT_CASE = 'text-unicode';

/** Servers of one implementation by their options, started when first needed. */
export class Servers {
  readonly #peer: Peer;
  readonly #running = new Map<string, Promise<RunningServer>>();

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  async url(options: readonly string[]): Promise<string> {
    const key = options.join(' ');
    const running = this.#running.get(key) ?? this.#peer.serve(options);
    this.#running.set(key, running);
    return `ws://127.0.0.1:${(await running).port}/`;
  }

  async stop(): Promise<void> {
    for (const running of this.#running.values()) await (await running).stop();
  }
}

/** Plays one case. It never throws: what goes wrong is a hole. */
export async function play(hostile: HostileCase, peer: Peer, servers: Servers): Promise<Outcome> {
  const { victim, feature = 'v1' } = hostile;
  const reason = leftOutReason(peer.family, hostile);
  if (reason !== undefined) return { type: 'left out', reason };
  if (!peer.features[victim].includes(feature)) {
    const wanted = wantedReason(peer.family, feature);
    if (wanted !== undefined) return { type: 'left out', reason: wanted };
    return { type: 'hole', detail: `${peer.family} does not say that its ${victim} has ${feature}` };
  }
  try {
    const detail = await (victim === 'server' ? againstServer(hostile, servers) : againstClient(hostile, peer));
    return detail === undefined ? { type: 'refused' } : { type: 'hole', detail };
  } catch (error) {
    return { type: 'hole', detail: (error as Error).message };
  }
}

async function againstServer(hostile: HostileCase, servers: Servers): Promise<string | undefined> {
  const stranger = new Stranger('client');
  const protocols = hostile.subprotocols?.(stranger.goodHello());
  const peer = rawClient(
    await servers.url(hostile.options ?? []),
    protocols === undefined ? {} : { protocols: [...protocols] },
  );
  try {
    return await within(attack(hostile, stranger, peer));
  } finally {
    peer.socket.terminate();
  }
}

async function againstClient(hostile: HostileCase, client: Peer): Promise<string | undefined> {
  const { select } = hostile;
  const server = await rawServer(undefined, {
    handleProtocols: (offered) => select?.([...offered]) ?? false,
  });
  const name = hostile.clientCase ?? CLIENT_CASE;
  try {
    const running = client.connect(`${server.url}/`, hostile.options ?? [], [name]);
    const attacked = within(server.nextPeer().then((peer) => attack(hostile, new Stranger('server'), peer)));
    const [problem, verdicts] = await Promise.all([attacked, running]);
    return problem ?? verdictProblem(verdicts, name);
  } finally {
    await server.close();
  }
}

function verdictProblem(verdicts: readonly Verdict[], name: string): string | undefined {
  const verdict = verdicts.find((candidate) => candidate.case === name);
  if (verdict === undefined) return `the client did not run the case '${name}'`;
  return verdict.ok ? 'the client did not notice: its case passed' : undefined;
}

/** RFC 6455 7.4.1 */
const MESSAGE_TOO_BIG = 1009;
/** Cases that a victim's WebSocket library may refuse by the frame's header, before any of ours sees it (PROTOCOL.md 17). */
const TOO_LONG: ReadonlySet<string> = new Set([
  'hello of 200,000 bytes',
  'a frame longer than any may be, before Finished',
]);

/** @returns what the victim did wrong, or undefined */
async function attack(hostile: HostileCase, stranger: Stranger, peer: RawPeer): Promise<string | undefined> {
  stranger.attach(peer);
  await peer.opened;
  await hostile.attack(stranger);
  const { code } = await peer.closed;
  // Whatever it said after the attack, an echo of what should not have been delivered above all, is one thing too many.
  const surplus = await peer.next().catch(() => undefined);
  if (surplus !== undefined)
    return `the victim sent ${surplus.isBinary ? 'a frame' : 'a text'} of ${surplus.data.length} bytes after it`;
  if (code === hostile.code || (code === MESSAGE_TOO_BIG && TOO_LONG.has(hostile.name))) return undefined;
  return `the victim closed with ${code}, not ${hostile.code}`;
}

function within<T>(promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`nothing happened for ${CASE_LIMIT_MS / 1000} s`));
    }, CASE_LIMIT_MS);
  });
  return Promise.race([promise, late]).finally(() => {
    clearTimeout(timer);
  });
}
