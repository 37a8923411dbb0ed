/** The hostile end of a connection of the profile yellowpages (PROTOCOL.md 15): one key, and nothing that counts. */
import type { RawPeer } from '../../support/raw-peer.ts';
import type { Side } from '../../support/tap.ts';
import { sha256 } from '../../support/reference-crypto.ts';
import { base64, decapsulate, encapsulate, makeKemKeys, openBytes, sealFrame, utf8, zeros } from './crypto.ts';
import { CLIENT_MEMBER, SERVER_MEMBER } from './stranger.ts';

const NO_DATA = zeros(0);

export class YellowpagesStranger {
  readonly side: Side;
  readonly #peer: RawPeer;
  readonly #keys = makeKemKeys();
  #encapsulationKey = new Uint8Array();
  #ciphertext = new Uint8Array();
  #key: Uint8Array | undefined;
  /** The last frame of each end, as it was. */
  lastSent = new Uint8Array();
  lastReceived = new Uint8Array();

  constructor(side: Side, peer: RawPeer) {
    this.side = side;
    this.#peer = peer;
  }

  get member(): string {
    return this.side === 'client' ? CLIENT_MEMBER : SERVER_MEMBER;
  }

  /** The bytes that a good hello of this end carries; a server's are made once the victim's hello is read. */
  get value(): Uint8Array {
    return this.side === 'client' ? this.#keys.publicKey : this.#ciphertext;
  }

  get key(): Uint8Array {
    if (this.#key === undefined) throw new Error('no key yet');
    return this.#key;
  }

  /** What a document must hold, and here is. */
  get userData(): string {
    return base64(utf8(`{"ml_kem_768_ciphertext_hash":"${base64(sha256(this.#ciphertext))}"}`));
  }

  send(message: string | Uint8Array): void {
    this.#peer.send(message);
  }

  /** @param document in JSON; null leaves the member out */
  goodHello(document: string | null = `"${base64(utf8(this.userData))}"`): string {
    const proof = this.side === 'server' && document !== null ? `,"auth_attestation_doc":${document}` : '';
    return `{"${this.member}":"${base64(this.value)}"${proof}}`;
  }

  /** The victim's hello, which as ClientHello must come before this end's. */
  async readHello(): Promise<void> {
    const members = JSON.parse(await this.#peer.nextText()) as Record<string, string>;
    if (this.side === 'client') {
      this.#key = Uint8Array.from(
        decapsulate(Buffer.from(members[SERVER_MEMBER] ?? '', 'base64'), this.#keys.secretKey),
      );
      return;
    }
    this.#encapsulationKey = Uint8Array.from(Buffer.from(members[CLIENT_MEMBER] ?? '', 'base64'));
    const { cipherText, sharedSecret } = encapsulate(this.#encapsulationKey);
    this.#ciphertext = Uint8Array.from(cipherText);
    this.#key = Uint8Array.from(sharedSecret);
  }

  /** A good hello each way. */
  async hellos(): Promise<void> {
    if (this.side === 'client') this.send(this.goodHello());
    await this.readHello();
    if (this.side === 'server') this.send(this.goodHello());
  }

  /** A frame that is not sent. @param aad nothing, as it should be */
  sealed(plaintext: Uint8Array, key = this.key, aad = NO_DATA, nonce?: Uint8Array): Uint8Array {
    return sealFrame(key, aad, plaintext, nonce && Uint8Array.from(nonce));
  }

  /** Sends a frame as it should be. */
  say(plaintext: Uint8Array): void {
    this.lastSent = Uint8Array.from(this.sealed(plaintext));
    this.send(this.lastSent);
  }

  /** The victim's next message. @throws {Error} when it does not open */
  async receive(): Promise<Uint8Array> {
    this.lastReceived = Uint8Array.from(await this.#peer.nextBinary());
    return openBytes(this.key, NO_DATA, this.lastReceived);
  }

  /** Until a message of the application has gone each way, and the victim waits for the next. */
  async converse(): Promise<void> {
    await this.hellos();
    if (this.side === 'client') {
      this.say(utf8('before'));
      await this.receive();
    } else {
      this.say(await this.receive());
      await this.receive();
    }
  }
}
