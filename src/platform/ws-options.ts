/**
 * The client options of npm `ws` that pass through to it: its own, those of http.request and of tls.connect.
 * `perMessageDeflate` is not among them, and neither is what this package has an option of its own for.
 */
export const TRANSPORT_OPTIONS: ReadonlySet<string> = new Set([
  // ws
  'allowSynchronousEvents', 'autoPong', 'closeTimeout', 'finishRequest', 'followRedirects', 'generateMask',
  'maxRedirects', 'origin', 'protocolVersion', 'maxBufferedChunks', 'maxFragments', 'maxPendingAutoPongs',
  // http.request
  'agent', 'auth', 'createConnection', 'defaultPort', 'family', 'headers', 'hints', 'insecureHTTPParser', 'joinDuplicateHeaders',
  'localAddress', 'localPort', 'lookup', 'maxHeaderSize', 'setDefaultHeaders', 'setHost', 'signal', 'socketPath', 'timeout',
  'uniqueHeaders',
  // net.connect
  'allowHalfOpen', 'autoSelectFamily', 'autoSelectFamilyAttemptTimeout', 'blockList', 'highWaterMark', 'keepAlive',
  'keepAliveInitialDelay', 'noDelay',
  // tls.connect
  'allowPartialTrustChain', 'ALPNProtocols', 'ca', 'cert', 'checkServerIdentity', 'ciphers', 'clientCertEngine', 'crl', 'dhparam',
  'ecdhCurve', 'enableTrace', 'honorCipherOrder', 'key', 'maxVersion', 'minDHSize', 'minVersion', 'passphrase', 'pfx',
  'privateKeyEngine', 'privateKeyIdentifier', 'pskCallback', 'rejectUnauthorized', 'requestOCSP', 'secureContext', 'secureOptions',
  'secureProtocol', 'servername', 'session', 'sessionIdContext', 'sessionTimeout', 'sigalgs', 'socket', 'ticketKeys',
]);
