/**
 * A server of the original system, from PROTOCOL.md section 15 and what is known of its manners, and nothing of src/: frames
 * written by hand, noble's ML-KEM, node:crypto's AES. It takes one frame of at most 16,500 bytes and answers with a close code alone.
 *
 * Its manners: it sends its Close and drops the connection at once, so that no closing handshake is completed; its closes have no reason; a
 * ping ends the exchange; it may close in the middle of a handshake; it wants an Origin, an X-Forwarded-For and a token of the
 * upgrade request; and of a hello it looks at its own member alone, so that it answers one of v1 as its own.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import * as ws from 'ws';
import { AsyncQueue } from './deferred.ts';
import { closePayload, encodeFrame, OPCODE } from './frames.ts';

export const MOST_REQUEST_BYTES = 16_500;
/** What it refuses a frame, a hello or a ping with. */
const BAD_REQUEST = 1008;
/** RFC 6455 1.3. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

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
  /** The close's code for a request. Default 1000. */
  readonly judge?: (request: Buffer) => number;
  /** Frames that it says before it judges; the original says none. */
  readonly says?: readonly string[];
  /** Instead of the true ciphertext. */
  readonly ciphertext?: (ciphertext: Uint8Array) => Uint8Array;
  /**
   * Its close has this reason, and waits for the client's answer: as the servers of other implementations in test/interop, whose cases ask for
   * both. Default: its own manners.
   */
  readonly politely?: string;
  /** Closes with this code instead of going on: as soon as there is a connection, or when the hello has come. Default: it goes on. */
  readonly givesUp?: { readonly at: 'connection' | 'hello'; readonly code: number };
  /** What upgrade requests must have; others are answered with 403. `X-Forwarded-For` is a proxy's to add. Default: nothing. */
  readonly demands?: { readonly origin: string; readonly token: string };
}

interface Incoming {
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): this;
  on(event: 'ping' | 'conclude' | 'error', listener: () => void): this;
  write(chunk: Buffer): boolean;
}

/** npm `ws`'s reader of frames, which its types leave out. */
const { Receiver } = ws as typeof ws & { Receiver: new (options: { isServer: true }) => Incoming };

class Exchange {
  // Written out, and not as parameters: Node runs this file as it stands.
  readonly #network: Duplex;
  readonly #options: OriginalServerOptions;
  readonly #requests: AsyncQueue<Buffer>;
  readonly #hellos: AsyncQueue<string>;
  #key: Uint8Array | undefined;
  #greeted = false;
  #isOver = false;

  constructor(
    network: Duplex,
    options: OriginalServerOptions,
    requests: AsyncQueue<Buffer>,
    hellos: AsyncQueue<string>,
  ) {
    this.#network = network;
    this.#options = options;
    this.#requests = requests;
    this.#hellos = hellos;
    const { givesUp } = options;
    const receiver = new Receiver({ isServer: true });
    receiver.on('message', (data, isBinary) => {
      if (!this.#greeted) this.#hello(data, isBinary);
      else this.#request(data, isBinary);
    });
    receiver.on('ping', () => {
      this.#close(BAD_REQUEST);
    });
    // A close of the client's, or what is no frame: it goes without a word.
    for (const event of ['conclude', 'error'] as const) {
      receiver.on(event, () => {
        network.destroy();
      });
    }
    network.on('error', () => undefined);
    network.on('data', (chunk: Buffer) => {
      if (!this.#isOver) receiver.write(chunk);
    });
    if (givesUp?.at === 'connection') this.#close(givesUp.code);
  }

  /**
   * Its Close, and the end of the connection: nothing that the client says to it is looked at. It is still taken from the kernel, which would
   * answer it with a reset, and a browser that writes at that moment never reads the Close.
   */
  #close(code: number): void {
    const { politely } = this.#options;
    const said = closePayload(code, politely);
    if (politely === undefined) {
      this.#isOver = true;
      this.#network.end(encodeFrame(OPCODE.close, said, false));
    } else this.#network.write(encodeFrame(OPCODE.close, said, false));
  }

  #hello(data: Buffer, isBinary: boolean): void {
    const { givesUp, says = [], ciphertext: changed } = this.#options;
    this.#greeted = true;
    this.#hellos.push(data.toString());
    const encapsulationKey = isBinary ? undefined : encapsulationKeyOf(data.toString());
    if (encapsulationKey === undefined || givesUp?.at === 'hello') {
      this.#close(givesUp?.code ?? BAD_REQUEST);
      return;
    }
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(encapsulationKey);
    this.#key = sharedSecret;
    const hello = {
      ml_kem_768_ciphertext: Buffer.from(changed?.(cipherText) ?? cipherText).toString('base64'),
      auth_attestation_doc: documentFor(cipherText),
    };
    this.#network.write(encodeFrame(OPCODE.text, Buffer.from(JSON.stringify(hello)), false));
    for (const said of says) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', sharedSecret, nonce);
      const sealed = Buffer.concat([nonce, cipher.update(said), cipher.final(), cipher.getAuthTag()]);
      this.#network.write(encodeFrame(OPCODE.binary, sealed, false));
    }
  }

  #request(sealed: Buffer, isBinary: boolean): void {
    const request = isBinary && sealed.length <= MOST_REQUEST_BYTES ? this.#opened(sealed) : undefined;
    if (request === undefined) {
      this.#close(BAD_REQUEST);
      return;
    }
    this.#requests.push(request);
    this.#close(this.#options.judge?.(request) ?? 1000);
  }

  #opened(sealed: Buffer): Buffer | undefined {
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key as Uint8Array, sealed.subarray(0, 12));
      decipher.setAuthTag(sealed.subarray(-16));
      return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
    } catch {
      return undefined;
    }
  }
}

export async function startOriginalServer(options: OriginalServerOptions = {}): Promise<OriginalServer> {
  const requests = new AsyncQueue<Buffer>();
  const hellos = new AsyncQueue<string>();
  const networks = new Set<Duplex>();
  const server = createServer((_request, response) => response.writeHead(426).end());
  server.on('upgrade', (request, network) => {
    networks.add(network);
    if (!isWelcome(request, options)) {
      network.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}${ACCEPT_SUFFIX}`)
      .digest('base64');
    network.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    new Exchange(network, options, requests, hellos);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}`,
    port,
    nextRequest: () => requests.next(),
    nextHello: () => hellos.next(),
    stop: async () => {
      for (const network of networks) network.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

function isWelcome({ headers, url = '' }: IncomingMessage, { demands }: OriginalServerOptions): boolean {
  if (demands === undefined) return true;
  const token = new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('token');
  return headers.origin === demands.origin && headers['x-forwarded-for'] !== undefined && token === demands.token;
}

/** It looks at nothing else: a hello of v1 has this member too. */
function encapsulationKeyOf(hello: string): Uint8Array | undefined {
  try {
    const { ml_kem_768_encapsulation_key: encoded } = JSON.parse(hello) as Record<string, unknown>;
    const key = typeof encoded === 'string' ? Buffer.from(encoded, 'base64') : undefined;
    return key?.length === 1184 ? new Uint8Array(key) : undefined;
  } catch {
    return undefined;
  }
}

/** No enclave made it: it is the user data that a document would hold. */
function documentFor(ciphertext: Uint8Array): string {
  const hash = createHash('sha256').update(ciphertext).digest('base64');
  const userData = Buffer.from(JSON.stringify({ ml_kem_768_ciphertext_hash: hash })).toString('base64');
  return Buffer.from(userData).toString('base64');
}
