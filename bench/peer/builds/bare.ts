/**
 * `node-crypto`: plain `ws` with Node's own cipher beside it and nothing else, one createCipheriv a message, under a key that
 * both ends just have. It is the least that any layer of sealed messages costs here, and no protection: it is here to be
 * measured.
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import { MAX_PAYLOAD_BYTES } from '../../plan.ts';
import type { BenchServer, BenchSocket, Build } from '../socket.ts';

const KEY = createSecretKey(Buffer.alloc(32, 7));
const ADDITIONAL_DATA = Buffer.alloc(8);
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const OPTIONS = { authTagLength: TAG_BYTES };

class BareSocket extends EventEmitter implements BenchSocket {
  readonly #transport: WebSocket;
  readonly #nonce = Buffer.concat([randomBytes(8), Buffer.alloc(4)]);
  #sent = 0;

  constructor(transport: WebSocket) {
    super();
    this.#transport = transport;
    transport.on('open', () => this.emit('open'));
    transport.on('close', (code) => this.emit('close', code));
    transport.on('error', (error) => this.emit('error', error));
    transport.on('message', (frame: Buffer) => {
      const decipher = createDecipheriv('aes-256-gcm', KEY, frame.subarray(0, NONCE_BYTES), OPTIONS);
      decipher.setAAD(ADDITIONAL_DATA);
      decipher.setAuthTag(frame.subarray(-TAG_BYTES));
      const message = decipher.update(frame.subarray(NONCE_BYTES, -TAG_BYTES));
      decipher.final();
      this.emit('message', message, true);
    });
  }

  get bufferedAmount(): number {
    return this.#transport.bufferedAmount;
  }

  send(data: string | Uint8Array): void {
    const message = typeof data === 'string' ? Buffer.from(data) : data;
    this.#nonce.writeUInt32BE((this.#sent += 1), 8);
    const cipher = createCipheriv('aes-256-gcm', KEY, this.#nonce, OPTIONS);
    cipher.setAAD(ADDITIONAL_DATA);
    const frame = Buffer.allocUnsafe(NONCE_BYTES + message.length + TAG_BYTES);
    frame.set(this.#nonce);
    frame.set(cipher.update(message), NONCE_BYTES);
    cipher.final();
    frame.set(cipher.getAuthTag(), NONCE_BYTES + message.length);
    this.#transport.send(frame);
  }

  close(): void {
    this.#transport.close();
  }

  terminate(): void {
    this.#transport.terminate();
  }
}

class BareServer extends EventEmitter implements BenchServer {
  constructor(server: WebSocketServer) {
    super();
    server.on('connection', (transport, request) => this.emit('connection', new BareSocket(transport), request));
  }
}

export const bare: Build = {
  tls: false,
  connect: (url) => new BareSocket(new WebSocket(url, { perMessageDeflate: false })),
  attach: (server) =>
    new BareServer(new WebSocketServer({ server, perMessageDeflate: false, maxPayload: MAX_PAYLOAD_BYTES })),
};
