/** One server behind the gateway: how to reach it, whether it answers, and how many connections it has from here. */
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect as connectPlain, isIP } from 'node:net';
import { connect as connectSecure } from 'node:tls';
import type { UpstreamAddress } from './addresses.ts';

/** Milliseconds of silence after which the kernel asks whether a peer is still there. */
export const KEEP_ALIVE_DELAY = 30_000;

/** Contents of PEM files: who vouches for a backend, and what the gateway shows it of itself. */
export interface UpstreamTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

export class UpstreamServer {
  /** Connections that are open or being opened. */
  connections = 0;
  #state: 'up' | 'down' = 'up';

  constructor(
    readonly address: UpstreamAddress,
    private readonly stateChanged: (backend: UpstreamServer) => void,
    /** Its share of the connections, beside the others'. */
    readonly weight = 1,
    private readonly tls: UpstreamTls = {},
  ) {}

  get label(): string {
    return this.address.text;
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  /** What was learned of the backend by talking to it. */
  report(state: 'up' | 'down'): void {
    if (this.#state === state) return;
    this.#state = state;
    this.stateChanged(this);
  }

  /**
   * A connected socket; with TLS, once the certificate is verified.
   * @param timeout milliseconds
   * @param abort destroys it while it is connecting
   * @throws {Error} when there is none within the time
   */
  dial(timeout: number, abort?: AbortSignal): Promise<Socket> {
    const { socket: where, tlsName } = this.address;
    return new Promise((resolve, reject) => {
      const common = { ...where, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_DELAY, noDelay: true };
      const socket =
        tlsName === undefined
          ? connectPlain(common)
          : connectSecure({
              ...common,
              ...this.tls,
              ...(isIP(tlsName) === 0 && { servername: tlsName }),
              ALPNProtocols: ['http/1.1'],
            });
      const timer = setTimeout(() => {
        socket.destroy(new Error('the connection timed out'));
      }, timeout);
      const aborted = (): void => {
        socket.destroy(new Error('the connection is wanted no longer'));
      };
      abort?.addEventListener('abort', aborted, { once: true });
      const done = (): void => {
        clearTimeout(timer);
        abort?.removeEventListener('abort', aborted);
      };
      const fail = (error: Error): void => {
        done();
        reject(error);
      };
      socket.once('error', fail);
      socket.once(tlsName === undefined ? 'connect' : 'secureConnect', () => {
        done();
        socket.off('error', fail);
        // Between two owners there is no listener. 'close' follows.
        socket.on('error', () => undefined);
        resolve(socket);
      });
    });
  }
}

/**
 * The backend with the fewest connections for its weight among those that are up; among the others when none is, since they may
 * be back. Equal ones take turns by `turn`.
 */
export function leastConnected(
  backends: readonly UpstreamServer[],
  tried: ReadonlySet<UpstreamServer>,
  turn: number,
): UpstreamServer | undefined {
  const candidates = candidatesOf(backends, tried);
  const fewest = Math.min(...candidates.map(loadOf));
  const best = candidates.filter((backend) => loadOf(backend) === fewest);
  return best[turn % best.length];
}

/**
 * The same backend for the same key while it is up, in proportion to the weights; only the keys of one that goes move, and they
 * come back with it (rendezvous hashing).
 */
export function rendezvous(
  backends: readonly UpstreamServer[],
  tried: ReadonlySet<UpstreamServer>,
  key: string,
): UpstreamServer | undefined {
  const scored = candidatesOf(backends, tried).map((backend) => {
    const digest = createHash('sha256').update(`${backend.label}\0${key}`).digest();
    const chance = (digest.readUIntBE(0, 6) + 1) / 2 ** 48;
    return { backend, score: backend.weight / -Math.log(chance) };
  });
  return scored.sort((a, b) => b.score - a.score)[0]?.backend;
}

/** One more connection is what is asked for. */
function loadOf({ connections, weight }: UpstreamServer): number {
  return weight === 1 ? connections : (connections + 1) / weight - 1;
}

function candidatesOf(backends: readonly UpstreamServer[], tried: ReadonlySet<UpstreamServer>): UpstreamServer[] {
  const untried = backends.filter((backend) => !tried.has(backend));
  const up = untried.filter(({ isUp }) => isUp);
  return up.length > 0 ? up : untried;
}
