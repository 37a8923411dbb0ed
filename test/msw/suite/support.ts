/** One way to mock for each way that `pq-websocket/msw` has, and what a test of either needs. Runs under msw 2.15 and 3. */
import { ws } from 'msw';
import { setupServer } from 'msw/node';
import { onTestFinished } from 'vitest';
import { pqExtension, terminatePQ } from 'pq-websocket/msw';
import type { MockConnection, MockOptions, Termination } from 'pq-websocket/msw';

/** What the code under test dials. Nobody is there: without the mock a connection fails. */
export const URL_UNDER_TEST = 'ws://127.0.0.1:9/room';
export const MAJOR = Number(process.env['MSW_MAJOR']);
export type Mode = 'terminatePQ' | 'pqExtension';
export const MODES: readonly Mode[] = MAJOR === 2 ? ['terminatePQ'] : ['terminatePQ', 'pqExtension'];

export type Plain = Termination & { readonly raw: MockConnection };
type Link = ReturnType<typeof ws.link>;

/** Starts msw with a handler for `url` that gets plaintext. */
export function mock(
  mode: Mode,
  handler: (connection: Plain) => void,
  options: MockOptions = {},
  url = URL_UNDER_TEST,
): Link {
  const link = mode === 'pqExtension' ? ws.link(url, { extensions: [pqExtension(options)] }) : ws.link(url);
  const server = setupServer(
    (link as Link).addEventListener('connection', (event) => {
      const raw = event as unknown as MockConnection;
      handler({ ...(mode === 'pqExtension' ? (event as unknown as Termination) : terminatePQ(raw, options)), raw });
    }),
  );
  server.listen();
  onTestFinished(() => {
    server.close();
  });
  return link;
}

/** The next event of a type. */
export function next<E extends Event = Event>(target: Pick<EventTarget, 'addEventListener'>, type: string): Promise<E> {
  return new Promise((resolve) => {
    target.addEventListener(
      type,
      (event) => {
        resolve(event as E);
      },
      { once: true },
    );
  });
}

/** Everything that a socket delivers, to wait for. */
export function inbox(socket: Pick<EventTarget, 'addEventListener'>): {
  readonly all: unknown[];
  until(count: number): Promise<unknown[]>;
} {
  const all: unknown[] = [];
  let wake = (): void => undefined;
  socket.addEventListener('message', (event) => {
    all.push((event as MessageEvent).data);
    wake();
  });
  return {
    all,
    until: async (count) => {
      while (all.length < count)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      return all;
    },
  };
}

export function bytes(data: unknown): number[] {
  return [...new Uint8Array(data as ArrayBuffer)];
}

export function closing(event: CloseEvent): { code: number; reason: string; wasClean: boolean } {
  return { code: event.code, reason: event.reason, wasClean: event.wasClean };
}
