/** The library's words about its options, in terms of the flags that set them. */

const FLAGS: Readonly<Record<string, string>> = {
  serverKeys: '--pin',
  verifyAttestation: '--attestation',
  profile: '--profile',
  context: '--context',
  padding: '--padding',
  fastOpen: '--fast-open',
  maxPayload: '--max-message',
  handshakeTimeout: '--handshake-timeout',
  headers: '--header',
  origin: '--origin',
  identity: '--identity',
  profiles: '--profiles',
};

/** `WebSocket: option 'serverKeys' must be …` is `--pin must be …`. */
export function inFlags(message: string): string {
  return message
    .replace(/^\w+: /, '')
    .replace(/option 'pcrs\.(\d+)'/g, '--pcr $1')
    .replace(/option '(\w+)'/g, (whole, name: string) => FLAGS[name] ?? whole)
    .replace(/^Subprotocol /, '--subprotocol: number ')
    .replace(
      /^An invalid or duplicated subprotocol was specified/,
      '--subprotocol: expected different names, each a token',
    );
}
