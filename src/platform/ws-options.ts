/**
 * The client options of npm `ws` that pass through to it: its own, those of http.request and of tls.connect.
 * `perMessageDeflate` is not among them, and neither is what this package has an option of its own for.
 */
export const TRANSPORT_OPTIONS: ReadonlySet<string> = new Set([
  // ws
  'allowSynchronousEvents', 'autoPong', 'closeTimeout', 'finishRequest', 'followRedirects', 'generateMask',
  'maxRedirects', 'origin', 'protocolVersion', 'skipUTF8Validation', 'maxBufferedChunks', 'maxFragments', 'maxPendingAutoPongs',
  // http.request
  'agent', 'auth', 'createConnection', 'family', 'headers', 'hints', 'insecureHTTPParser', 'localAddress', 'localPort',
  'lookup', 'maxHeaderSize', 'setHost', 'signal', 'socketPath', 'timeout', 'autoSelectFamily',
  'autoSelectFamilyAttemptTimeout',
  // tls.connect
  'ALPNProtocols', 'ca', 'cert', 'checkServerIdentity', 'ciphers', 'crl', 'dhparam', 'ecdhCurve', 'honorCipherOrder',
  'key', 'maxVersion', 'minDHSize', 'minVersion', 'passphrase', 'pfx', 'rejectUnauthorized', 'secureContext',
  'secureOptions', 'secureProtocol', 'servername', 'session', 'sessionIdContext', 'sigalgs',
]);
