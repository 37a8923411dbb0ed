/**
 * A browser client of the original system, as a page of it would be written: noble, the standard WebSocket, PROTOCOL.md
 * section 15, and nothing of src/. One sealed request; the answer is the close.
 */
import { gcm } from '@noble/ciphers/aes.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';

export interface OriginalAnswer {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  /** Opened frames from the server: the original sends none. */
  readonly received: readonly string[];
}

const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
const fromBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

export interface OriginalRequest {
  /** The code to close with once as many frames have come as were sent. Default: closing is the server's. */
  readonly close?: number;
  /** A document that is just the user data: it proves nothing, but that what it covers is compared shows. Default: any. */
  readonly demandsDocument?: boolean;
}

/** What a document is about: base64 of JSON with a base64 in it. */
function userData(ciphertext: Uint8Array): string {
  return btoa(JSON.stringify({ ml_kem_768_ciphertext_hash: toBase64(sha256(ciphertext)) }));
}

export function originalRequest(
  url: string,
  requests: readonly string[],
  { close, demandsDocument = false }: OriginalRequest = {},
): Promise<OriginalAnswer> {
  const { publicKey, secretKey } = ml_kem768.keygen();
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const received: string[] = [];
  let key: Uint8Array | undefined;
  socket.onopen = (): void => {
    socket.send(JSON.stringify({ ml_kem_768_encapsulation_key: toBase64(publicKey) }));
  };
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>): void => {
    if (typeof data === 'string') {
      const hello = JSON.parse(data) as { ml_kem_768_ciphertext: string; auth_attestation_doc: string };
      const ciphertext = fromBase64(hello.ml_kem_768_ciphertext);
      if (demandsDocument && atob(hello.auth_attestation_doc) !== userData(ciphertext)) {
        socket.close(3770);
        return;
      }
      key = ml_kem768.decapsulate(ciphertext, secretKey);
      for (const request of requests) {
        const nonce = crypto.getRandomValues(new Uint8Array(12));
        const sealed = gcm(key, nonce).encrypt(new TextEncoder().encode(request));
        socket.send(Uint8Array.of(...nonce, ...sealed));
      }
      return;
    }
    const frame = new Uint8Array(data);
    received.push(new TextDecoder().decode(gcm(key as Uint8Array, frame.subarray(0, 12)).decrypt(frame.subarray(12))));
    if (close !== undefined && received.length === requests.length) socket.close(close);
  };
  return new Promise((resolve) => {
    socket.onclose = ({ code, reason, wasClean }): void => {
      resolve({ code, reason, wasClean, received });
    };
  });
}
