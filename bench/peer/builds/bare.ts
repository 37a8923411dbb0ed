/**
 * `node-crypto` and `native-crypto`: plain `ws` with a cipher beside it and nothing else, one call a message, under a key that both ends
 * just have. It is the least that any layer of sealed messages costs here, and no protection: it is here to be measured.
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type * as Native from 'pq-websocket-native';
import { WebSocket, WebSocketServer } from 'ws';
import { MAX_PAYLOAD_BYTES } from '../../plan.ts';
import type { BenchServer, BenchSocket, Build } from '../socket.ts';

const KEY = Buffer.alloc(32, 7);
/** Native code is given no memory of the engine's own heap. */
const ADDITIONAL_DATA = new Uint8Array(new ArrayBuffer(8));
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const OPTIONS = { authTagLength: TAG_BYTES };

interface Cipher {
  seal(message: Uint8Array): Uint8Array;
  open(frame: Buffer): Buffer;
}

/** createCipheriv. */
function nodeCipher(): Cipher {
  const key = createSecretKey(KEY);
  const nonce = Buffer.concat([randomBytes(8), Buffer.alloc(4)]);
  let sent = 0;
  return {
    seal(message) {
      nonce.writeUInt32BE((sent += 1), 8);
      const cipher = createCipheriv('aes-256-gcm', key, nonce, OPTIONS);
      cipher.setAAD(ADDITIONAL_DATA);
      const frame = Buffer.allocUnsafe(NONCE_BYTES + message.length + TAG_BYTES);
      frame.set(nonce);
      frame.set(cipher.update(message), NONCE_BYTES);
      cipher.final();
      frame.set(cipher.getAuthTag(), NONCE_BYTES + message.length);
      return frame;
    },
    open(frame) {
      const decipher = createDecipheriv('aes-256-gcm', key, frame.subarray(0, NONCE_BYTES), OPTIONS);
      decipher.setAAD(ADDITIONAL_DATA);
      decipher.setAuthTag(frame.subarray(-TAG_BYTES));
      const message = decipher.update(frame.subarray(NONCE_BYTES, -TAG_BYTES));
      decipher.final();
      return message;
    },
  };
}

let native: typeof Native | undefined;

/** AWS-LC as pq-websocket-native has it, in place at both ends. */
function nativeCipher(): Cipher {
  const { createVault, importKey, importSecret, open, seal } = (native ??= createRequire(import.meta.url)(
    'pq-websocket-native',
  ) as typeof Native);
  const vault = createVault();
  const key = importKey(vault, importSecret(vault, KEY));
  return {
    seal(message) {
      const frame = Buffer.allocUnsafeSlow(NONCE_BYTES + message.length + TAG_BYTES);
      seal(vault, key, frame, ADDITIONAL_DATA, true, message);
      return frame;
    },
    open(frame) {
      if (!open(vault, key, frame, ADDITIONAL_DATA)) throw new Error('a frame does not open');
      return frame.subarray(NONCE_BYTES, -TAG_BYTES);
    },
  };
}

class BareSocket extends EventEmitter implements BenchSocket {
  readonly #transport: WebSocket;
  readonly #cipher: Cipher;

  constructor(transport: WebSocket, cipher: Cipher) {
    super();
    this.#transport = transport;
    this.#cipher = cipher;
    transport.on('open', () => this.emit('open'));
    transport.on('close', (code) => this.emit('close', code));
    transport.on('error', (error) => this.emit('error', error));
    transport.on('message', (frame: Buffer) => this.emit('message', cipher.open(frame), true));
  }

  get bufferedAmount(): number {
    return this.#transport.bufferedAmount;
  }

  send(data: string | Uint8Array): void {
    this.#transport.send(this.#cipher.seal(typeof data === 'string' ? Buffer.from(data) : data));
  }

  close(): void {
    this.#transport.close();
  }

  terminate(): void {
    this.#transport.terminate();
  }
}

class BareServer extends EventEmitter implements BenchServer {
  constructor(server: WebSocketServer, cipher: () => Cipher) {
    super();
    server.on('connection', (transport, request) =>
      this.emit('connection', new BareSocket(transport, cipher()), request),
    );
  }
}

function bare(cipher: () => Cipher): Build {
  return {
    tls: false,
    connect: (url) => new BareSocket(new WebSocket(url, { perMessageDeflate: false }), cipher()),
    attach: (server) =>
      new BareServer(new WebSocketServer({ server, perMessageDeflate: false, maxPayload: MAX_PAYLOAD_BYTES }), cipher),
  };
}

export const bareNode = bare(nodeCipher);
export const bareNative = bare(nativeCipher);
