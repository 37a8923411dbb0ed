/**
 * The client options of npm `ws` that pass through to it: its own, those of http.request and of tls.connect.
 * `perMessageDeflate` is not among them, and neither is what this package has an option of its own for.
 */
import { Set } from '../base/captured.ts';
export const TRANSPORT_OPTIONS: ReadonlySet<string> = new Set([
  // ws
  'allowSynchronousEvents',
  'autoPong',
  'closeTimeout',
  'finishRequest',
  'followRedirects',
  'generateMask',
  'maxRedirects',
  'origin',
  'protocolVersion',
  'maxBufferedChunks',
  'maxFragments',
  'maxPendingAutoPongs',
  // http.request
  'agent',
  'auth',
  'createConnection',
  'defaultPort',
  'family',
  'headers',
  'hints',
  'insecureHTTPParser',
  'joinDuplicateHeaders',
  'localAddress',
  'localPort',
  'lookup',
  'maxHeaderSize',
  'setDefaultHeaders',
  'setHost',
  'socketPath',
  'timeout',
  'uniqueHeaders',
  // net.connect
  'allowHalfOpen',
  'autoSelectFamily',
  'autoSelectFamilyAttemptTimeout',
  'blockList',
  'highWaterMark',
  'keepAlive',
  'keepAliveInitialDelay',
  'noDelay',
  // tls.connect
  'allowPartialTrustChain',
  'ALPNProtocols',
  'ca',
  'cert',
  'checkServerIdentity',
  'ciphers',
  'clientCertEngine',
  'crl',
  'dhparam',
  'ecdhCurve',
  'enableTrace',
  'honorCipherOrder',
  'key',
  'maxVersion',
  'minDHSize',
  'minVersion',
  'passphrase',
  'pfx',
  'privateKeyEngine',
  'privateKeyIdentifier',
  'pskCallback',
  'rejectUnauthorized',
  'requestOCSP',
  'secureContext',
  'secureOptions',
  'secureProtocol',
  'servername',
  'session',
  'sessionIdContext',
  'sessionTimeout',
  'sigalgs',
  'socket',
  'ticketKeys',
]);

/** What `ws` and Node look up in their options without a default of their own. */
const WITHOUT_DEFAULT = [
  ...['handshakeTimeout', 'finishRequest', 'generateMask', 'origin', 'agent', 'auth', 'headers', 'lookup', 'family'],
  ...['localAddress', 'localPort', 'signal', 'socket', 'setHost', 'insecureHTTPParser'],
  ...['ca', 'cert', 'key', 'pfx', 'secureContext', 'servername', 'session', 'pskCallback'],
];

/** With an undefined of its own in the place of each that a polluted `Object.prototype` would stand in for. */
export function uninherited(options: Record<string, unknown>): Record<string, unknown> {
  for (const name of WITHOUT_DEFAULT) {
    if (name in options && !Object.hasOwn(options, name)) options[name] = undefined;
  }
  return options;
}
