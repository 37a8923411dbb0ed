/** Where an engine's own class strays from the standards, and ours keeps to them, as it does in every engine. */
import type { Excuse } from './compare.ts';

function strays(
  engines: readonly string[],
  reason: string,
  paths: readonly string[],
  values: Pick<Excuse, 'native' | 'ours' | 'sometimes'> = {},
): Excuse[] {
  return paths.map((path) => ({ path, reason, engines, ...values }));
}

const BROWSERS = ['Chromium', 'Firefox', 'WebKitGTK'];

export const ENGINES_OWN: readonly Excuse[] = [
  ...strays(
    [...BROWSERS, 'Node 22'],
    'WHATWG WebSockets: a reason without a code goes with 1000; engines refuse it or leave the reason out',
    ["close: undefined as code / *2, 'given'*"],
  ),
  ...strays(['Chromium'], 'Web IDL: an argument that is undefined is not there', ["close: undefined as code / 2, ''*"]),
  ...strays(['Chromium', 'WebKitGTK'], 'Web IDL [Clamp] rounds to the nearest integer; they cut the fraction off', [
    'close: codes that are taken and refused, in every state / *999.5*',
    'close: the server sees code and reason / *1000.6*',
  ]),
  ...strays(
    ['Chromium', 'Firefox', 'WebKitGTK'],
    'RFC 6455 4.1: subprotocols differ also without regard to case (4.2.2 and WHATWG compare so)',
    ['protocols: spellings that are refused / repeated in another case*'],
  ),

  ...strays(
    ['Firefox'],
    'WHATWG WebSockets: a URL is relative to the base URL of the document; the empty one is that',
    [
      "url: relative URLs / ''*",
      'url: relative URLs follow <base> / *',
      'url: URLs that are refused / empty*',
      'constructor: values that are no strings / nothing*',
    ],
  ),
  ...strays(['Firefox'], 'Web IDL: a method that is null is none, so the object is a string', [
    'protocols: spellings that are taken / object with a null iterator*',
  ]),
  ...strays(
    ['Firefox'],
    'RFC 6455 5.1: a client fails the connection on a masked frame, so the frames after it have another one',
    [
      'close: a frame that RFC 6455 forbids / masked by the server *',
      ...['long ping', 'continuation of nothing', 'close of one byte'].flatMap((frame) => [
        `close: a frame that RFC 6455 forbids / ${frame} error`,
        `close: a frame that RFC 6455 forbids / ${frame} close`,
      ]),
      'close: a frame that RFC 6455 forbids / (the case did not end)',
    ],
  ),
  ...strays(
    ['Firefox'],
    'WHATWG WebSockets: code 1015 is not used, so that no script learns why a connection failed',
    ['handshake: TLS where there is none / socket close.code'],
    { native: 1015, ours: 1006 },
  ),
  ...strays(
    ['Firefox', 'WebKitGTK'],
    'fires error or not, by chance, when a connection is cut that close() has been called on',
    ['close: cut after close() was called / socket error'],
    { sometimes: true },
  ),
  ...strays(
    ['Firefox'],
    'ends its connections just before pagehide, and ours may hear of it after',
    ['leaving: close() in pagehide / readyState'],
    { native: 3, ours: 2, sometimes: true },
  ),
  ...strays(
    ['Firefox'],
    'ends its connections just before pagehide, and ours may hear of it after',
    ['leaving: the state of an open socket / pagehide', 'leaving: the state of an open socket / unload'],
    { native: 3, ours: 1, sometimes: true },
  ),
  ...strays(['Firefox'], "fires close while the document goes away; without the peer's sealed close it is not clean", [
    'lifetime: a frame that navigates ends its connections / socket close.wasClean',
  ]),

  ...strays(
    ['Firefox'],
    'WHATWG WebSockets: bufferedAmount does not decrease while a script runs; it does during a synchronous XMLHttpRequest',
    ['bufferedAmount: during a synchronous XMLHttpRequest / unchanged'],
    { sometimes: true },
  ),

  ...strays(['WebKitGTK'], 'counts frame headers in bufferedAmount', [
    'send: after close(): dropped and counted / *',
    'bufferedAmount: after the peer has closed / *',
    'close: the close event comes once, and nothing after it / state.bufferedAmount',
    'handshake: a failed socket stays closed / state.bufferedAmount',
  ]),
  ...strays(['WebKitGTK'], 'closes over what waits behind a Blob', [
    'send: close() behind a Blob: it still leaves / *',
  ]),
  ...strays(['WebKitGTK'], 'forgets on a cut what has not left', [
    'bufferedAmount: what a cut leaves stays counted / not zero',
  ]),
  ...strays(['WebKitGTK'], 'fires error and close from tasks of their own', [
    'order: error comes before close, in one task / (order)',
  ]),
  ...strays(['WebKitGTK'], 'refuses codes that IANA has registered since RFC 6455', [
    'close: by the server, with a code and a reason / *1012*',
    'close: by the server, with a code and a reason / *1013*',
  ]),
  ...strays(['WebKitGTK'], 'answers an empty close frame with 1000', [
    'close: by the server, without a code / server.code',
  ]),
  ...strays(['WebKitGTK'], 'takes subprotocols that are no tokens', ['protocols: spellings that are refused / *'], {
    native: 'a socket',
  }),
  ...strays(
    ['WebKitGTK'],
    'takes subprotocols that are no tokens',
    ['protocols: spellings that are refused / *: url'],
    { ours: null },
  ),
  ...strays(['WebKitGTK'], 'takes subprotocols that are no tokens', [
    'protocols: an iterable is asked step by step / refused*',
    'constructor: both arguments are converted before either is judged / bad protocol*',
  ]),
  ...strays(['WebKitGTK'], 'Web IDL reads Symbol.iterator once, and closes no iterator when an item throws', [
    'protocols: an iterable is asked step by step / *: Symbol.iterator#2',
    'protocols: an iterable is asked step by step / item throws: return',
  ]),
  ...strays(
    ['Chromium'],
    'WHATWG WebSockets: error is followed by close; it fires error alone where a policy allows no connection',
    ['request: a policy that allows no connection / socket close'],
  ),
  ...strays(
    ['WebKitGTK'],
    'WHATWG WebSockets: the state is CLOSED (3) before error, and close follows; for a port that Fetch blocks it fires error alone, while CONNECTING',
    ['url: a port that Fetch blocks fails / port * error.socket.readyState'],
    { native: 0, ours: 3 },
  ),
  ...strays(
    ['WebKitGTK'],
    'WHATWG WebSockets: error is followed by close; for a port that Fetch blocks it fires error alone',
    ['url: a port that Fetch blocks fails / port * close'],
  ),
  ...strays(['WebKitGTK'], 'a frame that is gone connects nowhere', [
    'lifetime: a socket made in a frame that is gone / state.readyState',
  ]),
  ...strays(['WebKitGTK'], 'reports no error for a handleEvent that is no function', [
    'handlers: handleEvent is looked up when the event comes / uncaught',
  ]),
  ...strays(['Chromium'], 'a frame that is gone has no DOMException any more, and takes no event handlers', [
    'lifetime: the members of a socket of a frame that is gone / bad code.exception.*',
    'lifetime: the members of a socket of a frame that is gone / listener',
  ]),
  ...strays(
    ['Chromium', 'Firefox'],
    'HTML: an event handler attribute gives what was set; in a frame that is gone they have forgotten it',
    ['realms: the interface object of a frame that is gone / onopen'],
    { native: null },
  ),
  ...strays(
    ['Chromium'],
    'a frame that is gone gives its class nothing to draw randomness from, and a socket that never connects',
    [
      'lifetime: a socket made in a frame that is gone / constructor',
      'lifetime: a socket made in a frame that is gone / state',
    ],
  ),

  ...strays(['Node'], "its error event is an ErrorEvent; every browser's is an Event, without what went wrong", [
    '* error.class',
    '* error.error',
    '* error.message',
  ]),
  ...strays(['Node'], 'cuts a byte-order mark off a text', ['send: text / came back']),
  ...strays(['Node'], 'throws for a detached buffer, which Web IDL takes for an empty one', [
    'send: a detached buffer / *',
  ]),
  ...strays(['Node'], 'drops what is sent after close() without counting it', [
    'send: after close(): dropped and counted / *',
    'bufferedAmount: after the peer has closed / counts on',
    'bufferedAmount: after the peer has closed / and stays',
    'close: the close event comes once, and nothing after it / state.bufferedAmount',
  ]),
  ...strays(['Node 24', 'Node 26'], 'drops what is sent after close() without counting it', [
    'handshake: a failed socket stays closed / state.bufferedAmount',
  ]),
  ...strays(['Node'], 'closes over what waits behind a Blob', ['send: close() behind a Blob: it still leaves / *']),
  ...strays(['Node'], 'takes any value but "arraybuffer" for "blob"', [
    'binaryType: values / is#*',
    'binaryType: values / symbol',
    'binaryType: values / throws',
  ]),
  ...strays(['Node'], 'fires what came in one chunk from one task, so microtasks may come later', [
    'order: open, then the messages that came with it / (order)',
  ]),
  ...strays(
    ['Node'],
    'fires what came in one chunk from one task, so microtasks may come later',
    ['order: each message has a microtask checkpoint before the next / (order)'],
    { sometimes: true },
  ),
  ...strays(['Node'], 'converts a BigInt where Web IDL throws, and cuts fractions off', [
    'close: codes that are no numbers / bigint*',
    'close: the server sees code and reason / *1000.6*',
  ]),
  ...strays(['Node 24', 'Node 26'], 'takes resizable memory, which Web IDL refuses for BufferSource', [
    'send: a resizable buffer / *',
  ]),
  ...strays(['Node'], 'answers a close frame without its reason', [
    'close: by the server, with a code and a reason / server, *.reason',
  ]),
  ...strays(['Node'], 'HTML: an event handler keeps its place among the listeners when it is replaced', [
    'handlers: an attribute among listeners keeps its place / (order)',
    'handlers: an object replaced by a function keeps the place / (order)',
  ]),
  ...strays(['Node'], 'HTML: a handler that returns false cancels the event', [
    'handlers: return false, and preventDefault / dispatched',
  ]),
  ...strays(['Node'], 'fires error within close(), and again, for a connection that never was', [
    'close: while CONNECTING* / socket error#2',
  ]),
  ...strays(
    ['Node 24', 'Node 26'],
    'fires error and close within close(), and again, for a connection that never was',
    [
      'close: while CONNECTING* / (order)',
      'close: while CONNECTING* / (the case did not end)',
      'close: while CONNECTING / after',
    ],
  ),
  ...strays(
    ['Node 22'],
    'fires error before it is CLOSED, within close(), and no close event, for a connection that never was',
    [
      'close: while CONNECTING* / *',
      'close: in the error handler / *',
      'handshake: *',
      'order: error comes before close, in one task / *',
      'protocols: the server selects *',
      'url: a port that Fetch blocks fails / *',
    ],
  ),
  ...strays(
    ['Node 22'],
    'fires error while CONNECTING, and no close event, where the server selects a subprotocol that was not asked for',
    ["protocols: letter case of the selected one is the server's / *"],
  ),
  ...strays(
    ['Node 22'],
    'WHATWG WebSockets: the state is CLOSED (3) before error is fired; it is still OPEN (1)',
    ['close: a frame that RFC 6455 forbids / * error.socket.readyState'],
    { native: 1, ours: 3 },
  ),
  ...strays(
    ['Node 22'],
    'HTML: an event handler attribute keeps any object (LegacyTreatNonObjectAsNull); it keeps functions only',
    ['handlers: values that an attribute keeps and forgets / *'],
    { native: null, ours: 'the same' },
  ),
  ...strays(
    ['Node'],
    'judges the URL before it converts the subprotocols, and takes an object for a dictionary of its own',
    [
      'constructor: both arguments are converted before either is judged / *',
      'protocols: spellings that are taken / *',
      'protocols: an iterable is asked step by step / *',
    ],
  ),
];
