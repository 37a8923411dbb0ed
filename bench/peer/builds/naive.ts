/**
 * `naive`: what an afternoon with @noble and npm `ws` gives. ML-KEM-768 in JavaScript, one AES-256-GCM call and one
 * frame a message, a random nonce each, and a queue until the key is there. It is here to be measured, not to be
 * used: nothing authenticates the handshake, the order of the messages or their end.
 */
import { EventEmitter } from 'node:events';
import { gcm } from '@noble/ciphers/aes.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { WebSocket, WebSocketServer } from 'ws';
import { MAX_PAYLOAD_BYTES } from '../../plan.ts';
import type { BenchServer, BenchSocket, Build } from '../socket.ts';

const NONCE_BYTES = 12;
const TEXT = 1;
const BINARY = 2;

class NaiveSocket extends EventEmitter implements BenchSocket {
  readonly #transport: WebSocket;
  #key: Uint8Array | undefined;
  readonly #queue: Uint8Array[] = [];

  constructor(transport: WebSocket) {
    super();
    this.#transport = transport;
    transport.on('close', (code) => this.emit('close', code));
    transport.on('error', (error) => this.emit('error', error));
  }

  /** Client: offers a key, and opens when the answer is there. */
  offer(): void {
    this.#transport.on('open', () => {
      const { publicKey, secretKey } = ml_kem768.keygen();
      this.#transport.once('message', (ciphertext: Buffer) => {
        this.#open(ml_kem768.decapsulate(ciphertext, secretKey));
      });
      this.#transport.send(publicKey);
    });
  }

  /** Server: answers the client's key, then opens. */
  answer(): void {
    this.#transport.once('message', (publicKey: Buffer) => {
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey);
      this.#transport.send(cipherText);
      this.#open(sharedSecret);
    });
  }

  get bufferedAmount(): number {
    return this.#transport.bufferedAmount;
  }

  send(data: string | Uint8Array, options?: { binary: boolean }): void {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    const message = new Uint8Array(1 + bytes.length);
    message[0] = (options?.binary ?? typeof data !== 'string') ? BINARY : TEXT;
    message.set(bytes, 1);
    if (this.#key === undefined) this.#queue.push(message);
    else this.#seal(this.#key, message);
  }

  close(): void {
    this.#transport.close();
  }

  terminate(): void {
    this.#transport.terminate();
  }

  #open(key: Uint8Array): void {
    this.#key = key;
    this.#transport.on('message', (frame: Buffer) => {
      this.#receive(key, frame);
    });
    for (const message of this.#queue.splice(0)) this.#seal(key, message);
    this.emit('open');
  }

  #seal(key: Uint8Array, message: Uint8Array): void {
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    this.#transport.send(Buffer.concat([nonce, gcm(key, nonce).encrypt(message)]));
  }

  #receive(key: Uint8Array, frame: Uint8Array): void {
    const message = gcm(key, frame.subarray(0, NONCE_BYTES)).decrypt(frame.subarray(NONCE_BYTES));
    this.emit(
      'message',
      Buffer.from(message.buffer, message.byteOffset + 1, message.length - 1),
      message[0] === BINARY,
    );
  }
}

class NaiveServer extends EventEmitter implements BenchServer {
  constructor(server: WebSocketServer) {
    super();
    server.on('connection', (transport, request) => {
      const socket = new NaiveSocket(transport);
      socket.once('open', () => this.emit('connection', socket, request));
      socket.answer();
    });
  }
}

export const naive: Build = {
  tls: false,
  connect(url) {
    const socket = new NaiveSocket(new WebSocket(url, { perMessageDeflate: false }));
    socket.offer();
    return socket;
  },
  attach: (server) =>
    new NaiveServer(new WebSocketServer({ server, perMessageDeflate: false, maxPayload: MAX_PAYLOAD_BYTES })),
};
