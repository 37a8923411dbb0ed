/** Where pq-websocket/ws is wanted to differ from npm `ws`, and why. An entry that nothing needs fails the suite. */

export interface WantedDifference {
  readonly scenario: string;
  /** Whose log it is in. */
  readonly who: string;
  /** The line that only ws has, if there is one. */
  readonly ws?: string;
  /** The line that only ours has. */
  readonly ours?: string;
  readonly why: string;
}

type Lines = Pick<WantedDifference, 'ws' | 'ours'>;

function wanted(why: string, scenario: string, who: string, ...lines: Lines[]): WantedDifference[] {
  return lines.map((each) => ({ scenario, who, why, ...each }));
}

/** The lines that only one of the two has. */
const ws = (...lines: string[]): Lines[] => lines.map((line) => ({ ws: line }));
const ours = (...lines: string[]): Lines[] => lines.map((line) => ({ ours: line }));

const UNSEALED = 'Whoever makes or reads frames by hand makes or reads frames that are not sealed.';
const UNKNOWN = 'An option that nothing reads is a mistake to be told of; ws ignores it.';
const COMPRESSION =
  'perMessageDeflate is refused: ciphertext does not compress, and compressing secrets beside chosen text leaks them.';
const OWN_CLASS =
  'All sockets of a server are its own secure ones: the option WebSocket is refused, and not among the options.';
const URL_OF_SERVER = "The standard's attribute is always a string.";
const QUEUES = 'send() while CONNECTING queues, since the secure handshake takes longer than an upgrade; ws throws.';
const AS_ITS_NAME = 'What is neither text nor bytes is refused; ws sends what Buffer.from makes of it.';
const CONTROL_DATA =
  "Control frames are the transport's, and not sealed: data of a ping stays at its end, data of a pong is refused.";
const OWN_CODES =
  'Failures of the secure layer have its own codes, 3768 to 3773, at both ends, and an error that says what failed.';
const NOT_BELIEVED =
  "A close that nobody sealed may be anybody's: its code is not believed, and the end is 1006 with an error.";
const SEALED_UTF8 =
  'Text that is not UTF-8 ends a secure connection at once, whatever the options say (PROTOCOL.md, "Records").';
const NOT_LOST =
  'A message that comes with the end of the handshake waits until those who awaited `open` can listen; ws loses it.';
const CLOSED_MEANS_CLOSED =
  'After its own close() an application gets no more messages, as in the standard; ws delivers until the peer has closed.';
const CLOSES_ANYWAY =
  "An 'error' that nobody listens for is thrown in either; the state and 'close' follow all the same.";
const OWN_WORDS = 'The same TypeError in words of its own: those of ws come from inside Node.';
const NULL_ADDRESS = 'null is no address; in ws it stands for a socket of a server.';
const NULL_PROTOCOLS = 'null stands for no subprotocols.';
const LATE =
  "The callback, and with it 'connection', comes when the secure handshake is done, and so after handleUpgrade returns.";
const NOT_SHOWN = 'A connection that does not finish the secure handshake is shown to nobody.';
const KEEPS_TRACK =
  'The server knows its clients whatever listeners the application removes; ws forgets that they have closed.';

const PEER_FAILED =
  'error: PQWebSocketError PQ_ERR_PEER: the peer, or the network, reported a failure of the secure layer';
const TOO_LONG = {
  ws: 'error: RangeError WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: Max payload size exceeded',
  ours: 'error: PQWebSocketError PQ_ERR_MESSAGE_SIZE: message too long',
};
const CLOSE_OF_WHO_FOUND_IT = { ws: 'close: 1006, Buffer()', ours: 'close: 3773, Buffer()' };
const CLOSE_OF_THE_OTHER = [{ ws: 'close: 1009, Buffer()', ours: 'close: 3773, Buffer()' }, { ours: PEER_FAILED }];

export const WANTED: readonly WantedDifference[] = [
  ...wanted(
    UNSEALED,
    'api: what writes frames by itself is refused',
    'module',
    {
      ws: 'new Receiver: "object"',
      ours: 'new Receiver throws: TypeError: Receiver is not supported: what it would read is sealed; listen to a socket instead',
    },
    {
      ws: 'new Sender: "object"',
      ours: 'new Sender throws: TypeError: Sender is not supported: what it would write is not sealed; use send() of a socket',
    },
    {
      ws: 'new PerMessageDeflate: "object"',
      ours: 'new PerMessageDeflate throws: TypeError: PerMessageDeflate is not supported: sealed frames are not compressed',
    },
  ),
  ...wanted(OWN_CLASS, 'api: members of WebSocketServer', 'options', {
    ws: 'WebSocket: function',
    ours: 'WebSocket: undefined',
  }),
  ...wanted(URL_OF_SERVER, 'api: both ends while they are open', 'peer', { ws: 'url: undefined', ours: 'url: ""' }),

  ...wanted(CLOSES_ANYWAY, "emitter: an 'error' that nobody listens for", 'closed', { ours: 'close: 1006' }),

  ...wanted(
    AS_ITS_NAME,
    'sending: what it may not be',
    'sender',
    ...[1, 2].flatMap(() => [
      { ws: 'sent: {length: "x"}', ours: 'throws: "TypeError"' },
      { ws: 'sent: Date', ours: 'throws: "TypeError"' },
    ]),
  ),
  ...['peer', 'client'].flatMap((who) =>
    wanted(
      AS_ITS_NAME,
      'sending: what it may not be',
      who,
      ...ws(
        'message: Buffer(), true',
        'message: Buffer(Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)), true',
      ),
    ),
  ),
  ...wanted(QUEUES, 'sending: while CONNECTING', 'client', {
    ws: 'send throws: Error: WebSocket is not open: readyState 0 (CONNECTING)',
    ours: 'send: undefined',
  }),
  ...wanted(QUEUES, 'sending: while CONNECTING', 'peer', ...ours('message: Buffer(early), false')),

  ...['receiving: maxPayload', 'receiving: maxPayload counts all fragments, and 0 is no limit'].flatMap((scenario) => [
    ...wanted(OWN_CODES, scenario, 'peer', TOO_LONG, CLOSE_OF_WHO_FOUND_IT),
    ...wanted(OWN_CODES, scenario, 'client', ...CLOSE_OF_THE_OTHER),
  ]),
  ...wanted(OWN_CODES, 'receiving: maxPayload of a client', 'client', TOO_LONG, CLOSE_OF_WHO_FOUND_IT),
  ...wanted(OWN_CODES, 'receiving: maxPayload of a client', 'peer', ...CLOSE_OF_THE_OTHER),
  ...wanted(
    OWN_CODES,
    'receiving: text that is not UTF-8',
    'peer',
    {
      ws: 'error: Error WS_ERR_INVALID_UTF8: Invalid WebSocket frame: invalid UTF-8 sequence',
      ours: 'error: PQWebSocketError PQ_ERR_UTF8: invalid UTF-8',
    },
    { ws: 'close: 1006, Buffer()', ours: 'close: 3772, Buffer()' },
  ),
  ...wanted(
    OWN_CODES,
    'receiving: text that is not UTF-8',
    'client',
    { ws: 'close: 1007, Buffer()', ours: 'close: 3772, Buffer()' },
    { ours: PEER_FAILED },
  ),
  ...['server', 'client'].flatMap((who) =>
    wanted(SEALED_UTF8, 'receiving: skipUTF8Validation', who, {
      ws: who === 'server' ? 'true: true' : 'true: undefined',
      ours: `true throws: TypeError: WebSocket${who === 'server' ? 'Server' : ''}: option 'skipUTF8Validation' is not supported: text that is not UTF-8 ends a secure connection (PROTOCOL.md, "Records")`,
    }),
  ),
  ...wanted(
    NOT_LOST,
    'receiving: listeners that are attached in a later turn hear what comes then',
    'scenario',
    ...ws('failed: Error: waited in vain for message'),
  ),
  ...wanted(
    NOT_LOST,
    'receiving: listeners that are attached in a later turn hear what comes then',
    'client',
    ...ours('message: Buffer(at once)'),
  ),
  ...wanted(
    CLOSED_MEANS_CLOSED,
    'receiving: messages after close() of this end, before the other has closed',
    'client',
    ...ws('message: Buffer(sent before the close arrives), false'),
  ),

  ...wanted(
    CONTROL_DATA,
    'control: ping and pong with data',
    'client',
    ...['ping', 'pong'].flatMap((method) => {
      const ofWs = `${method} throws: TypeError ERR_INVALID_ARG_TYPE: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received type boolean (true)`;
      if (method === 'ping')
        return [
          {
            ws: ofWs,
            ours: 'ping throws: TypeError: ping: the data must be a string, a number or bytes, got a boolean',
          },
        ];
      const refused = 'pong throws: TypeError: pong: data is not supported, since control frames are not sealed';
      return [...[1, 2, 3].map(() => ({ ws: 'pong: undefined', ours: refused })), { ws: ofWs, ours: refused }];
    }),
  ),
  ...wanted(
    CONTROL_DATA,
    'control: ping and pong with data',
    'peer',
    ...['text', 'bytes', '7'].flatMap((data) => [
      { ws: `ping: Buffer(${data})`, ours: 'ping: Buffer()' },
      ...ws(`pong: Buffer(${data})`),
    ]),
  ),

  ...wanted(OWN_WORDS, 'closing: what is refused', 'client', {
    ws: 'an array throws: TypeError ERR_INVALID_ARG_TYPE: The "string" argument must be of type string or an instance of Buffer or ArrayBuffer. Received an instance of Array',
    ours: 'an array throws: TypeError: Second argument must be a string or a Uint8Array',
  }),

  ...wanted(NULL_ADDRESS, 'connecting: addresses that are refused', 'client', {
    ws: 'null: "TypeError", ""',
    ours: 'null: "SyntaxError", "Invalid URL"',
  }),
  ...wanted(NULL_PROTOCOLS, 'connecting: null for the subprotocols', 'client', {
    ws: 'null throws: SyntaxError: An invalid or duplicated subprotocol was specified',
    ours: 'null: 0',
  }),
  ...wanted(UNKNOWN, 'connecting: options that ws does not know', 'client', {
    ws: 'unknown: undefined',
    ours: "unknown throws: TypeError: WebSocket: unknown option 'handshakeTimeOut'",
  }),
  ...wanted(COMPRESSION, 'connecting: options that ws does not know', 'client', {
    ws: 'perMessageDeflate: true: undefined',
    ours: "perMessageDeflate: true throws: TypeError: WebSocket: option 'perMessageDeflate' is not supported: ciphertext does not compress, and compressing secrets beside chosen text leaks them (CRIME)",
  }),

  ...['network: maxFragments', 'network: maxBufferedChunks'].flatMap((scenario) =>
    wanted(
      NOT_BELIEVED,
      scenario,
      'client',
      { ws: 'close: 1008, Buffer()', ours: 'close: 1006, Buffer()' },
      { ours: 'error: PQWebSocketError PQ_ERR_TRUNCATED: the connection ended without a sealed close' },
    ),
  ),

  ...wanted(LATE, 'server: noServer, by hand', 'server', {
    ws: 'handleUpgrade returns: undefined',
    ours: 'handleUpgrade returns: undefined',
  }),
  ...wanted(NOT_SHOWN, 'server: handleProtocols', 'server', ...ws('protocol: ""')),
  ...wanted(KEEPS_TRACK, 'server: removeAllListeners() on the server', 'server', {
    ws: 'clients: 1',
    ours: 'clients: 0',
  }),
  ...wanted(
    COMPRESSION,
    'server: perMessageDeflate',
    'server',
    ...['true', '{"threshold":1024}'].map((value) => ({
      ws: `${value}: "object"`,
      ours: `${value} throws: TypeError: WebSocketServer: option 'perMessageDeflate' is not supported: ciphertext does not compress, and compressing secrets beside chosen text leaks them (CRIME)`,
    })),
  ),
  ...wanted(OWN_CLASS, 'server: an own class of sockets, and options that ws does not know', 'server', {
    ws: 'WebSocket: "object"',
    ours: "WebSocket throws: TypeError: WebSocketServer: option 'WebSocket' is not supported: all sockets of this server are its own secure ones",
  }),
  ...wanted(UNKNOWN, 'server: an own class of sockets, and options that ws does not know', 'server', {
    ws: 'unknown: "object"',
    ours: "unknown throws: TypeError: WebSocketServer: unknown option 'maxPayLoad'",
  }),
];
