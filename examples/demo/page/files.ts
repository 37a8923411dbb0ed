/** The file transfer panel: progress while it runs, and both ends' hashes when it is done. */

import { sha256 } from '@noble/hashes/sha2.js';
import type { DemoClient, Transfer } from '../client.ts';
import { CHUNK_BYTES, MAX_FILE_BYTES, toHex } from '../messages.ts';
import type { FileSource, Hasher } from '../transfer.ts';
import { byId, make } from './dom.ts';

export function newHasher(): Hasher {
  const hash = sha256.create();
  return { update: (bytes) => hash.update(bytes), digestHex: () => toHex(hash.digest()) };
}

function sourceOf(file: File): FileSource {
  return {
    name: file.name.slice(0, 255),
    size: file.size,
    async *chunks() {
      for (let from = 0; from < file.size; from += CHUNK_BYTES) {
        yield new Uint8Array(await file.slice(from, from + CHUNK_BYTES).arrayBuffer());
      }
    },
  };
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

export class FilesPanel {
  readonly #client: () => DemoClient | undefined;
  readonly #input = byId('file', HTMLInputElement);
  readonly #sample = byId('sample', HTMLButtonElement);
  readonly #panel = byId('transfer', HTMLElement);
  readonly #name = byId('transfer-name', HTMLElement);
  readonly #amount = byId('transfer-amount', HTMLElement);
  readonly #progress = byId('transfer-progress', HTMLProgressElement);
  readonly #hashes = byId('hashes', HTMLDListElement);
  readonly #verdict = byId('verdict', HTMLElement);
  readonly #save = byId('save', HTMLAnchorElement);

  /** @param begun called when a transfer begins */
  constructor(
    client: () => DemoClient | undefined,
    private readonly begun: () => void,
  ) {
    this.#client = client;
    this.#input.addEventListener('change', () => {
      const file = this.#input.files?.[0];
      this.#input.value = '';
      if (file) this.#upload(file);
    });
    this.#sample.addEventListener('click', () => this.#download());
    const card = byId('transfer', HTMLElement).closest('section');
    card?.addEventListener('dragover', (event) => event.preventDefault());
    card?.addEventListener('drop', (event) => {
      event.preventDefault();
      const file = event.dataTransfer?.files[0];
      if (file) this.#upload(file);
    });
  }

  enable(enabled: boolean): void {
    this.#input.disabled = !enabled;
    this.#sample.disabled = !enabled;
  }

  #upload(file: File): void {
    const client = this.#client();
    if (!client || client.busy) return;
    this.#begin(file.name, 'Sending');
    if (file.size > MAX_FILE_BYTES) {
      this.#fail(new Error(`The demo takes files of up to ${mebibytes(MAX_FILE_BYTES)}.`));
      return;
    }
    void this.#run(
      client,
      client.upload(sourceOf(file), (done, total) => this.#show('sent', done, total)),
    );
  }

  #download(): void {
    const client = this.#client();
    if (!client || client.busy) return;
    this.#begin('Sample file', 'Receiving');
    void this.#run(
      client,
      client.download((done, total) => this.#show('received', done, total)),
    );
  }

  async #run(client: DemoClient, running: Promise<Transfer>): Promise<void> {
    this.enable(false);
    try {
      this.#done(await running);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.enable(client.socket.readyState === WebSocket.OPEN);
    }
  }

  #begin(name: string, verb: string): void {
    this.begun();
    URL.revokeObjectURL(this.#save.href);
    this.#panel.hidden = false;
    this.#hashes.hidden = true;
    this.#save.hidden = true;
    this.#save.removeAttribute('href');
    this.#verdict.className = 'verdict';
    this.#verdict.textContent = '';
    this.#name.textContent = `${verb} ${name}`;
    this.#amount.textContent = '';
    this.#progress.value = 0;
  }

  #show(verb: string, done: number, total: number): void {
    this.#progress.max = Math.max(total, 1);
    this.#progress.value = total === 0 ? 1 : done;
    this.#amount.textContent = `${mebibytes(done)} of ${mebibytes(total)} ${verb}`;
  }

  #done(transfer: Transfer): void {
    const { here, there, equal, milliseconds } = transfer;
    byId('hash-here', HTMLElement).replaceChildren(make('code', '', here.sha256));
    byId('hash-there', HTMLElement).replaceChildren(make('code', '', there.sha256));
    this.#hashes.hidden = false;
    this.#name.textContent = transfer.name;
    this.#amount.textContent = `${mebibytes(here.bytes)} in ${(milliseconds / 1000).toFixed(2)} s`;
    this.#verdict.classList.add(equal ? 'equal' : 'differs');
    this.#verdict.textContent = equal ? '✓ The same file at both ends' : '✗ The files differ';
    if (transfer.pieces.length === 0) return;
    this.#save.href = URL.createObjectURL(new Blob(transfer.pieces));
    this.#save.download = transfer.name;
    this.#save.hidden = false;
  }

  #fail(error: unknown): void {
    this.#verdict.classList.add('differs');
    this.#verdict.textContent = error instanceof Error ? error.message : String(error);
  }
}
