/** What the process of a row tells `npm run integrations`, and what a row is. */
import type { Tap } from '../support/tap.ts';

/** A server of an example. */
export interface Started {
  readonly port: number;
  close(): unknown;
}

export interface RowContext {
  /** `ws://127.0.0.1:<port of the tap>`: everything that a case does goes through it. */
  readonly url: string;
  readonly tap: Tap;
  /** What the row's `start` gave. */
  readonly server: Started;
  /** A new text that must never be seen on the wire; 6 bytes and more. */
  secret(label?: string): string;
  /** As `secret`, for a text that is given. */
  hide(text: string | Uint8Array): void;
  /** Another tap in front of a port, judged like the first unless `judged` is false. */
  openTap(port: number, judged?: boolean): Promise<Tap>;
}

/** A file of `rows/`, its default export. Written in JavaScript: the libraries' types are not installed here. */
export interface RowModule {
  /** The package that is shown with its version. */
  readonly library: string;
  /** Packages whose versions its page names too. */
  readonly with?: readonly string[];
  /** Where the server runs, if that is not Node. */
  readonly runtime?: string;
  /** docs/integrations/<page>.md */
  readonly page: string;
  readonly side: 'client' | 'server' | 'client and server';
  /** The line of an application that changes; one for each side. */
  readonly plug: readonly string[];
  /** What the library itself says in its messages: no more to be seen than what the application says. */
  readonly words: readonly string[];
  start(context: Pick<RowContext, 'secret' | 'hide'>): Promise<Started>;
  readonly cases: Readonly<Record<string, (context: RowContext) => Promise<void>>>;
}

export interface RowReport {
  readonly library: string;
  readonly version: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly runtime?: string;
  readonly page: string;
  readonly side: string;
  readonly plug: readonly string[];
  readonly cases: readonly { readonly name: string; readonly error?: string }[];
  /** Payload bytes of the sealed messages that the taps saw. */
  readonly bytesSealed: number;
  /** What was seen in clear, or looked like no sealed connection; a line each. */
  readonly leaks: readonly string[];
}
