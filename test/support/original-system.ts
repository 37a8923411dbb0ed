/**
 * A server of the original system, from PROTOCOL.md section 15 and nothing of src/: npm `ws`, noble's ML-KEM, node:crypto's
 * AES. It takes one frame of at most 16,500 bytes and answers with a close code alone.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { AsyncQueue } from './deferred.ts';

export const MOST_REQUEST_BYTES = 16_500;

export interface OriginalServer {
  readonly url: string;
  readonly port: number;
  /** The next request that was opened. */
  nextRequest(): Promise<Buffer>;
  /** The next text or binary message that came first, hello or not. */
  nextHello(): Promise<string>;
  /** Ends every connection and stops listening. */
  stop(): Promise<void>;
}

export interface OriginalServerOptions {
  /** `[code, reason]` for a request. Default 1000. */
  readonly judge?: (request: Buffer) => readonly [number, string];
  /** Frames that it says before it judges; the original says none. */
  readonly says?: readonly string[];
  /** Instead of the true ciphertext. */
  readonly ciphertext?: (ciphertext: Uint8Array) => Uint8Array;
}

export async function startOriginalServer(options: OriginalServerOptions = {}): Promise<OriginalServer> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const requests = new AsyncQueue<Buffer>();
  const hellos = new AsyncQueue<string>();
  server.on('connection', (socket) => {
    socket.once('message', (hello: Buffer, isBinary) => {
      hellos.push(hello.toString());
      if (isBinary) socket.close(1008);
      else answer(socket, hello.toString(), options, requests);
    });
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}`,
    port,
    nextRequest: () => requests.next(),
    nextHello: () => hellos.next(),
    stop: async () => {
      for (const socket of server.clients) socket.terminate();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

function answer(socket: WebSocket, hello: string, options: OriginalServerOptions, requests: AsyncQueue<Buffer>): void {
  const { ml_kem_768_encapsulation_key: encoded, pq_websocket: version } = JSON.parse(hello) as Record<string, unknown>;
  // What came before v1 knows nothing of it: this one only proves that nobody asks it in v1's words.
  if (version !== undefined || typeof encoded !== 'string') {
    socket.close(1008, 'bad hello');
    return;
  }
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(Buffer.from(encoded, 'base64'));
  const ciphertext = Buffer.from(options.ciphertext?.(cipherText) ?? cipherText).toString('base64');
  socket.send(JSON.stringify({ ml_kem_768_ciphertext: ciphertext, auth_attestation_doc: documentFor(cipherText) }));
  for (const said of options.says ?? []) {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', sharedSecret, nonce);
    socket.send(Buffer.concat([nonce, cipher.update(said), cipher.final(), cipher.getAuthTag()]));
  }
  socket.once('message', (frame: Buffer, isBinary) => {
    if (!isBinary || frame.length > MOST_REQUEST_BYTES) {
      socket.close(1008, 'bad request');
      return;
    }
    const decipher = createDecipheriv('aes-256-gcm', sharedSecret, frame.subarray(0, 12));
    decipher.setAuthTag(frame.subarray(-16));
    try {
      const request = Buffer.concat([decipher.update(frame.subarray(12, -16)), decipher.final()]);
      requests.push(request);
      socket.close(...(options.judge?.(request) ?? [1000, '']));
    } catch {
      socket.close(1008, 'bad frame');
    }
  });
}

/** No enclave made it: it is the user data that a document would hold. */
function documentFor(ciphertext: Uint8Array): string {
  const hash = createHash('sha256').update(ciphertext).digest('base64');
  const userData = Buffer.from(JSON.stringify({ ml_kem_768_ciphertext_hash: hash })).toString('base64');
  return Buffer.from(userData).toString('base64');
}
