/** From a capture file and a key log to what each WebSocket connection in it said. */
import type { ConversationListener } from './conversation.ts';
import { V1Conversation } from './conversation.ts';
import { KeyLog } from './key-log.ts';
import { readCapture } from './pcap.ts';
import type { Endpoints, StreamListener } from './tcp.ts';
import { Streams } from './tcp.ts';
import type { Side } from './websocket.ts';
import { WebSocketReader } from './websocket.ts';

export interface ConnectionEnds {
  readonly client: string;
  readonly server: string;
  readonly url: string;
}

export interface DecodeOptions {
  /** What both ends bind in. */
  readonly context: Uint8Array | undefined;
  /** A connection begins. */
  readonly connection: (number: number, ends: ConnectionEnds) => ConversationListener;
}

export interface Decoded {
  readonly connections: number;
  readonly problems: { readonly general: readonly string[]; readonly ofConnections: number };
}

/** @throws {CaptureError} for a file that is no capture */
export function decode(capture: Buffer, keys: string, options: DecodeOptions): Decoded {
  const log = new KeyLog(keys);
  const { packets, problems } = readCapture(capture);
  const general = new Set(problems);
  if (log.unread > 0) general.add(`the key log has ${log.unread} lines that are no keys: is it the right file?`);
  let connections = 0;
  let ofConnections = 0;

  const streams = new Streams((ends): StreamListener => {
    let listener: ConversationListener | undefined;
    let conversation: V1Conversation | undefined;
    const problem = (why: string): void => {
      ofConnections += 1;
      if (listener === undefined) general.add(`${ends.source} and ${ends.target}: ${why}`);
      else listener.problem(why);
    };
    let clientIsFirst = true;
    const reader = new WebSocketReader({
      upgraded: ({ target, host, isFirst }) => {
        clientIsFirst = isFirst;
        connections += 1;
        listener = options.connection(connections, { ...sides(ends, isFirst), url: `ws://${host}${target}` });
        conversation = new V1Conversation(log, options.context, {
          said: listener.said.bind(listener),
          problem,
        });
      },
      message: (side, isText, payload, at) => {
        conversation?.message(side, isText, payload, at);
      },
      unreadable: problem,
    });
    return {
      data: (fromFirst, bytes, at) => {
        reader.data(fromFirst, bytes, at);
      },
      gap: (fromFirst, bytes) => {
        reader.gap(fromFirst);
        if (!reader.isWebSocket) return;
        const side: Side = fromFirst === clientIsFirst ? 'client' : 'server';
        problem(`the capture lacks ${bytes} bytes of the ${side}; what follows of it is not shown`);
      },
      end: () => {
        reader.end();
        conversation?.end();
      },
    };
  });
  for (const packet of packets) streams.add(packet);
  streams.end();
  for (const problem of streams.problems) general.add(problem);
  return { connections, problems: { general: [...general], ofConnections } };
}

function sides({ source, target }: Endpoints, isFirst: boolean): Pick<ConnectionEnds, 'client' | 'server'> {
  return isFirst ? { client: source, server: target } : { client: target, server: source };
}
