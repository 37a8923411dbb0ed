/** The shape of a configuration. Each message says what was expected; what came is never repeated. */
import * as v from 'valibot';
import type { PaddingOption } from 'pq-websocket';
import { parseUpstreamAddress, parseListenAddress } from './addresses.ts';
import { isNetwork, UNIX_PEER } from './client-address.ts';
import { backendName } from './headers.ts';
import { isOriginPattern } from './origins.ts';
import { isMatchedInOnePass } from './patterns.ts';

const MAX_TIMER = 2 ** 31 - 1;
const MiB = 1024 * 1024;
const DAY = 24 * 60 * 60 * 1000;

const check = <T>(isValid: (value: T) => boolean, type: string, expected: string) =>
  v.custom<T>((value) => typeof value === type && isValid(value as T), expected);
const integer = (least: number, most: number) =>
  check<number>(
    (value) => Number.isInteger(value) && value >= least && value <= most,
    'number',
    `an integer from ${least} to ${most}`,
  );
const text = (isValid: (value: string) => boolean, expected: string) => check<string>(isValid, 'string', expected);
const flag = check<boolean>(() => true, 'boolean', 'true or false');
const oneOf = <const Options extends readonly string[]>(...options: Options) =>
  v.picklist(options, `one of ${options.join(', ')}`);
const list = <Item extends v.GenericSchema>(item: Item, expected: string) => v.array(item, `a list of ${expected}`);
const atLeastOne = <Item extends v.GenericSchema>(item: Item, expected: string) =>
  v.pipe(list(item, expected), v.minLength(1, `a list of at least one of: ${expected}`));
/** Unknown keys are errors; the message for everything else is that of the key. */
const object = <Entries extends v.ObjectEntries>(entries: Entries) =>
  v.strictObject(entries, ({ expected }) => {
    if (expected === 'never') return `no such key; there are ${Object.keys(entries).join(', ')}`;
    return expected === 'Object' ? `a map with ${requiredKeys(entries)}` : 'this key to be there';
  });

function requiredKeys(entries: v.ObjectEntries): string {
  const required = Object.entries(entries).filter(([, entry]) => entry.type !== 'optional');
  const keys = required.length > 0 ? required : Object.entries(entries);
  return keys.map(([key]) => key).join(', ');
}

const file = text((value) => value !== '', 'the path of a file');
const listenAddress = text(
  (value) => parseListenAddress(value) !== undefined,
  'an address to listen on: host:port, [v6]:port, :port or unix:/path',
);
const command = v.pipe(
  list(
    text((value) => value !== '', 'a string that is not empty'),
    'a program and its arguments',
  ),
  v.minLength(1, 'a program and its arguments'),
);
const url = text(
  (value) => URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol),
  'an http: or https: URL',
);
const origin = text(
  isOriginPattern,
  'an origin as browsers write it, such as https://example.com, https://*.example.com or capacitor://localhost',
);
const onePass = 'with one * at most, and one variable in each part: others take too long on a long text';

const padding = v.custom<PaddingOption>(
  (value) =>
    value === 'off' || value === 'padme' || (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_536),
  'off, padme or a block size from 1 to 65536',
);

const health = object({
  path: v.optional(text((value) => value.startsWith('/'), 'a path that begins with /')),
  interval: v.optional(integer(100, 3_600_000), 5_000),
  timeout: v.optional(integer(1, 60_000), 2_000),
});

const networks = list(text(isNetwork, 'an IP address or a CIDR block'), 'IP addresses and CIDR blocks');
const token = (what: string) => text((value) => /^[\w!#$%&'*+.^`|~-]+$/.test(value), `the name of a ${what}`);
const headerName = token('header');
/** How long a message is and what becomes of its connection: each leg has its own, and another would be read as another message. */
const OF_ONE_LEG =
  /^(?:connection|content-length|expect|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|sec-websocket-.*)$/;
const isEndToEnd = (name: string): boolean => !OF_ONE_LEG.test(backendName(name));
const endToEndName = v.pipe(
  headerName,
  v.check(
    isEndToEnd,
    'a header of the whole way: how a message is framed, and the upgrade, each connection says for itself',
  ),
);
const removable = v.pipe(
  endToEndName,
  v.check(
    (name) => backendName(name) !== 'host',
    'another header: each request has a Host, which set or preserveHost changes',
  ),
);
const headerRules = object({
  set: v.optional(
    v.record(
      endToEndName,
      text((value) => /^[\t\x20-\x7e]*$/.test(value), 'a value in one line of ASCII'),
      'a map of headers',
    ),
    {},
  ),
  remove: v.optional(list(removable, 'headers'), []),
});
const prefix = text((value) => /^\/[\x21\x22\x24-\x7e]*$/.test(value), 'a path that begins with /');
const upstreamText = text(
  (value) => parseUpstreamAddress(value) !== undefined,
  'ws://host:port, wss://host:port or unix:/path, without a path of its own',
);
const upstream = v.union(
  [
    upstreamText,
    object({
      address: upstreamText,
      weight: v.optional(integer(1, 1_000), 1),
      ca: v.optional(file),
      cert: v.optional(file),
      key: v.optional(file),
    }),
  ],
  'ws://host:port, wss://host:port or unix:/path, without a path of its own, or a map with address, weight, ca, cert, key',
);

const route = object({
  name: v.optional(text((value) => /^[\w .:/-]{1,64}$/.test(value), 'up to 64 letters, digits, spaces and ._:/-')),
  host: v.optional(
    text((value) => value !== '' && isMatchedInOnePass(value, '.'), `a URL pattern for a host name, ${onePass}`),
  ),
  path: v.optional(
    text(
      (value) => /^[/*:(]/.test(value) && isMatchedInOnePass(value, '/'),
      `a URL pattern for a path, which begins with /, ${onePass}`,
    ),
  ),
  upstreams: atLeastOne(upstream, 'backends'),
  balance: v.optional(
    v.union(
      [oneOf('least', 'address'), object({ cookie: token('cookie') }), object({ header: headerName })],
      'least, address, or a map with cookie or header',
    ),
    'least',
  ),
  allow: v.optional(networks),
  deny: v.optional(networks, []),
  requestHeaders: v.optional(headerRules, {}),
  responseHeaders: v.optional(headerRules, {}),
  rewritePrefix: v.optional(object({ from: prefix, to: prefix })),
  auth: v.optional(
    object({ url, timeout: v.optional(integer(1, 60_000), 5_000), pass: v.optional(list(removable, 'headers'), []) }),
  ),
  preserveHost: v.optional(flag, true),
  health: v.optional(
    v.union([v.literal(false), health], (issue) => healthMessage(issue)),
    {},
  ),
});

/** valibot reports a union as a whole; the first error inside it says more. */
function healthMessage(issue: { issues?: readonly v.BaseIssue<unknown>[] | undefined }): string {
  const inner = issue.issues?.find((each) => each.path !== undefined);
  const key = inner?.path?.map((part) => String(part.key)).join('.');
  return inner === undefined ? 'false, or a map with path, interval, timeout' : `${key}: ${inner.message}`;
}

const limits = object({
  connections: v.optional(integer(1, 1_000_000), 10_000),
  connectionsPerAddress: v.optional(integer(1, 1_000_000), 1_000),
  handshakesPerSecond: v.optional(integer(1, 1_000_000), 50),
  handshakeBurst: v.optional(integer(1, 1_000_000), 200),
  pendingHandshakes: v.optional(integer(1, 1_000_000), 1_000),
  headerBytes: v.optional(integer(1_024, MiB), 16_384),
  messageBytes: v.optional(integer(1, 1_024 * MiB), 100 * MiB),
  bufferedBytes: v.optional(integer(65_536, 1_024 * MiB), MiB),
});

const timeouts = object({
  header: v.optional(integer(100, MAX_TIMER), 10_000),
  handshake: v.optional(integer(100, MAX_TIMER), 10_000),
  connect: v.optional(integer(1, MAX_TIMER), 5_000),
  upgrade: v.optional(integer(1, MAX_TIMER), 30_000),
  idle: v.optional(integer(0, MAX_TIMER), 3_600_000),
});

/** As a client of the library pins: what `pq-websocket fingerprint` prints. */
const fingerprint = text((value) => /^sha256:[0-9a-f]{64}$/i.test(value), 'sha256: and 64 hex digits');
const clientKeys = object({
  pins: v.optional(list(fingerprint, 'fingerprints, each sha256: and 64 hex digits'), []),
  files: v.optional(list(file, 'files with public keys'), []),
  demand: v.optional(flag, true),
});
const choiceOf = (...keys: string[]) => `a map with one of ${keys.join(', ')}`;
const identity = v.union(
  [
    object({ key: file }),
    object({ command, publicKey: v.optional(file) }),
    object({ url, publicKey: v.optional(file) }),
  ],
  choiceOf('key: a file', 'command: a program and its arguments', 'url: an http: or https: URL'),
);
const attestation = v.union(
  [object({ command }), object({ url })],
  choiceOf('command: a program and its arguments', 'url: an http: or https: URL'),
);

const tls = object({
  cert: file,
  key: file,
  more: v.optional(list(object({ cert: file, key: file }), 'certificates, each with cert and key'), []),
  clientCa: v.optional(file),
});
const proxyProtocol = v.custom<boolean | string[]>(
  (value) =>
    typeof value === 'boolean' ||
    (Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string' && isNetwork(each))),
  'true, false, or a list of the IP addresses and CIDR blocks that it may come from',
);
const listener = object({
  listen: listenAddress,
  tls: v.optional(tls),
  proxyProtocol: v.optional(proxyProtocol, false),
});

export const gatewaySchema = object({
  listen: v.optional(listenAddress),
  listeners: v.optional(atLeastOne(listener, 'listeners, each with listen')),
  profiles: v.optional(
    v.pipe(
      atLeastOne(oneOf('v1', 'yellowpages'), 'v1, yellowpages'),
      v.check((names) => new Set(names).size === names.length, 'each profile once'),
    ),
    ['v1'],
  ),
  tls: v.optional(tls),
  proxyProtocol: v.optional(proxyProtocol),
  trustedProxies: v.optional(
    list(
      text((value) => value === UNIX_PEER || isNetwork(value), 'an IP address, a CIDR block, or unix'),
      'IP addresses and CIDR blocks, and unix',
    ),
    [],
  ),
  routes: atLeastOne(route, 'routes, each with upstreams'),
  plainHttp: v.optional(oneOf('refuse', 'upstream'), 'refuse'),
  allow: v.optional(networks),
  deny: v.optional(networks, []),
  allowedOrigins: v.optional(list(origin, 'origins')),
  identity: v.optional(identity),
  attestation: v.optional(attestation),
  clientKeys: v.optional(clientKeys),
  context: v.optional(text((value) => value !== '', 'a string that is not empty')),
  padding: v.optional(padding, 'off'),
  limits: v.optional(limits, {}),
  timeouts: v.optional(timeouts, {}),
  drain: v.optional(
    object({ delay: v.optional(integer(0, DAY), 0), deadline: v.optional(integer(0, DAY), 30_000) }),
    {},
  ),
  admin: v.optional(object({ listen: listenAddress })),
  log: v.optional(
    object({
      format: v.optional(oneOf('json', 'pretty'), 'json'),
      level: v.optional(oneOf('debug', 'info', 'warn', 'error', 'silent'), 'info'),
      refusals: v.optional(integer(0, 1_000_000), 100),
    }),
    {},
  ),
  traces: v.optional(flag, false),
  workers: v.optional(
    v.custom<number | 'cores'>(
      (value) => value === 'cores' || (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 256),
      'an integer from 1 to 256, or cores',
    ),
    1,
  ),
});

/** A configuration with every default filled in. */
export type GatewaySettings = v.InferOutput<typeof gatewaySchema>;
export type RouteSettings = GatewaySettings['routes'][number];
