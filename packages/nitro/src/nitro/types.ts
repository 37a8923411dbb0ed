/** Types of `pq-websocket-nitro`, both ends. */

/** A PCR's value: 48 bytes, or 96 hexadecimal digits. */
export type PcrValue = string | Uint8Array;

/** What is demanded of a document besides that AWS signed it for this handshake. */
export interface NitroOptions {
  /**
   * Which enclaves to trust: per PCR index (0 to 31) the expected value or alternatives, of which one must match.
   * At least one index, and every named one must match. All zero is refused as an expected value of PCR0, PCR1 and
   * PCR2 (debug mode) and as the only thing that is expected, since such a register measures nothing.
   */
  readonly pcrs: Readonly<Record<number, PcrValue | readonly PcrValue[]>>;
  /** The expected `module_id`, one enclave's name while it runs. Default: any. */
  readonly moduleId?: string | undefined;
  /** How old the document may be, in milliseconds: 1 to 10,800,000 (three hours). Default 300,000. */
  readonly maxAgeMilliseconds?: number | undefined;
  /**
   * How far the clock here may be behind AWS's, in milliseconds: 0 to 10,800,000. A visitor's clock may be minutes slow. Default 60,000.
   */
  readonly clockSkewMilliseconds?: number | undefined;
  /** The time, in milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/** `NitroOptions` for one document, whose handshake is known. */
export interface NitroDocumentOptions extends NitroOptions {
  /** Exactly what `user_data` must be: 1 to 512 bytes, as `AttestationContext.userData` gives them. */
  readonly userData: Uint8Array;
}

/** A document that passed every check. */
export interface NitroDocument {
  readonly moduleId: string;
  readonly digest: 'SHA384';
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  /** 48 bytes each, by index. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  /** The leaf, DER. */
  readonly certificate: Uint8Array;
  /** The chain above the leaf, DER, the root first. */
  readonly cabundle: readonly Uint8Array[];
  readonly publicKey: Uint8Array | undefined;
  readonly userData: Uint8Array | undefined;
  /** Proves nothing by itself: enclaves often attest a nonce of whoever asks. */
  readonly nonce: Uint8Array | undefined;
  /** True when a test root signed it, which only `pq-websocket-nitro/testing` accepts: no enclave is behind it. */
  readonly testRoot: boolean;
}
