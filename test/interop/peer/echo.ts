/** The application of the TypeScript server: an echo, and the commands of test/interop/README.md. */
import { sha256 } from '@noble/hashes/sha2.js';
import type { ServerSocket } from '../../../src/server.ts';
import { toHex } from './bytes.ts';
import { parsePadding, Reach } from './reach.ts';

const MOST_BATCHED = 10_000;

/** What `!mixed` sends as one batch. */
export const MIXED: readonly (string | Uint8Array)[] = ['a', Uint8Array.of(0, 1, 255), '', new Uint8Array()];

export function echo(socket: ServerSocket): void {
  socket.on('message', (data, isBinary) => {
    const text = isBinary ? '' : data.toString();
    if (text.startsWith('!')) void answer(socket, text.slice(1));
    else socket.send(data, { binary: isBinary });
  });
  // 'close' follows, and the driver sees the transport's code.
  socket.on('error', () => undefined);
}

/** A command that cannot be carried out says so, inside the seal, and leaves the connection as it is. */
async function answer(socket: ServerSocket, line: string): Promise<void> {
  try {
    await command(socket, line);
  } catch (error) {
    socket.send(`error: ${(error as Error).message}`);
  }
}

async function command(socket: ServerSocket, line: string): Promise<void> {
  const [name, rest] = cut(line, line.indexOf(' '));
  const reach = new Reach(socket);
  switch (name) {
    case 'export': {
      // The last word is the length: a label may have spaces, or be empty.
      const [label, length] = cut(rest, rest.lastIndexOf(' '));
      socket.send(toHex(await socket.pq.exportKey(label, Number(length))));
      break;
    }
    case 'hash':
      socket.send(toHex(socket.pq.transcriptHash ?? new Uint8Array()));
      break;
    case 'update':
      reach.update(() => {
        socket.send('updated');
      });
      break;
    case 'batch': {
      const count = Number(rest);
      if (!(count >= 1 && count <= MOST_BATCHED)) throw new RangeError(`!batch N, 1 to ${MOST_BATCHED}`);
      for (let i = 0; i < count; i += 1) socket.send(`batch ${i}`);
      break;
    }
    case 'mixed':
      for (const message of MIXED) socket.send(message);
      break;
    case 'pad':
      reach.padding = parsePadding(rest);
      socket.send('padded');
      break;
    case 'kem':
      socket.send(socket.pq.kem);
      break;
    case 'peer-key': {
      const { peerKey } = socket.pq;
      socket.send(peerKey === null ? 'none' : toHex(sha256(peerKey)));
      break;
    }
    case 'generation':
      socket.send(String(socket.pq.generation));
      break;
    case 'exchange':
      await socket.pq.exchange();
      socket.send('exchanged');
      break;
    case 'ping':
      await socket.pq.ping(new TextEncoder().encode(rest));
      socket.send('ponged');
      break;
    case 'close': {
      const [code, reason] = cut(rest, rest.indexOf(' '));
      if (code === '0') socket.close();
      else socket.close(Number(code), reason);
      break;
    }
    default:
      throw new Error('unknown command');
  }
}

/** What is before and behind the character at `index`; -1 gives all of it and nothing. */
function cut(text: string, index: number): [string, string] {
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}
