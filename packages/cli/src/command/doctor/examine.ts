/** Several connections, each for one question; what each answers is a finding. Nothing falls back to anything. */
import { randomBytes } from 'node:crypto';
import type { Profile } from 'pq-websocket';
import type { Target } from '../client-flags.ts';
import type { TlsFacts } from '../dial.ts';
import { EXIT } from '../exit-codes.ts';
import type { Finding } from './findings.ts';
import { bad, good, info, warning } from './findings.ts';
import type { Probe } from './probe.ts';
import { probe } from './probe.ts';
import { alterations, proofs } from './transport.ts';

export interface ExamineSettings {
  readonly profile: Profile;
  /** Whether the server is expected to send each message back. */
  readonly echo: boolean;
  readonly patience: number;
  readonly isInsecure: boolean;
}

const POST_QUANTUM_GROUP = /MLKEM/i;
const CERTIFICATE_WARNING_DAYS = 14;
const DAY = 86_400_000;
const ECHO_SIZES = [1, 65_536, 1_048_576];

export async function examine(target: Target, settings: ExamineSettings): Promise<Finding[]> {
  const { profile, echo, patience } = settings;
  // The original server of yellowpages ends the exchange for a ping.
  const main = await probe(target, { patience, ping: profile === 'v1', echoSizes: echo ? ECHO_SIZES : [] });
  const { exitCode, message, failure } = main.ending;
  if (main.call.begun.tls === undefined && main.call.begun.upgrade === undefined) {
    return [
      bad(
        'tcp',
        EXIT.UNREACHABLE,
        message,
        'Nothing can be said about this server.',
        'Check the host name, the port and the firewall.',
      ),
    ];
  }
  const findings = [
    good('tcp', `connected in ${ms(main.call.begun.tls ?? main.call.begun.upgrade)}`, 'The host is there.'),
    ...tlsFindings(main, settings),
  ];
  if (main.call.begun.upgrade === undefined) return findings;
  if (main.call.begun.handshake === undefined || exitCode === EXIT.UPGRADE) {
    return [
      ...findings,
      bad(
        'upgrade',
        EXIT.UPGRADE,
        message,
        'There is no WebSocket: a proxy that does not pass upgrades, another path, missing credentials, or an answer that something has changed.',
        "Compare with the server's own log; headers and subprotocols are given with -H, --origin and -s.",
      ),
    ];
  }
  findings.push(
    good(
      'upgrade',
      `101 after ${ms(main.call.begun.handshake - main.call.begun.upgrade)}`,
      'The way is open for WebSockets.',
    ),
    ...intermediaries(main),
  );
  const other: Profile = profile === 'v1' ? 'yellowpages' : 'v1';
  const speaksOther = await speaks(target, other, patience);
  const isSpoken = main.opened || exitCode === EXIT.AUTHENTICATION;
  findings.push(...profileFindings(profile, isSpoken, `${failure ?? ''} ${message}`.trim(), speaksOther));
  if (main.opened)
    findings.push(
      good(
        'handshake',
        `open after ${ms(main.call.begun.open)} in all, ${ms(main.call.socket.pq.handshakeMilliseconds ?? 0)} of it the secure handshake`,
        'The hellos came through unchanged: both ends have the same key.',
      ),
    );
  findings.push(...(await proofs(main, target, profile, patience, randomBytes(32).toString('hex'))));
  if (profile === 'v1' && isSpoken) findings.push(await fastOpen(target, patience));
  if (main.opened) findings.push(...alterations(main, profile, echo));
  return findings;
}

function ms(value = 0): string {
  return `${Math.round(value)} ms`;
}

function tlsFindings({ call, ending }: Probe, { isInsecure }: ExamineSettings): Finding[] {
  const { tls } = call;
  if (call.begun.tls === undefined) {
    return [
      warning(
        'tls',
        'no TLS',
        'The upgrade request - URL, cookies, credentials - is readable on the way, and anybody there can change it.',
        'Use wss:, except on this machine.',
      ),
    ];
  }
  if (tls === undefined) {
    return [
      bad(
        'tls',
        EXIT.TLS,
        ending.message,
        'The server is not who its certificate should say, or does not speak TLS.',
        'Give --ca for an authority of your own, --servername for another name. --insecure-tls looks further without trusting it.',
      ),
    ];
  }
  const { version, group, cipher } = tls;
  const seen = `${version}, ${group ?? 'a group that this Node does not name'}, ${cipher}`;
  return [
    groupFinding(seen, group !== undefined && POST_QUANTUM_GROUP.test(group)),
    certificateFinding(tls, isInsecure),
  ];
}

function groupFinding(seen: string, isPostQuantum: boolean): Finding {
  if (isPostQuantum)
    return good('tls', seen, 'Also the upgrade request stays secret when this is recorded, up to where TLS ends.');
  return openSslHasMlKem()
    ? warning(
        'tls',
        seen,
        'Who records this reads the upgrade request once elliptic curves fall. Messages are sealed and are not affected.',
        "Enable X25519MLKEM768 where TLS ends (OpenSSL 3.5, or the CDN's setting), and keep credentials out of the URL.",
      )
    : info(
        'tls',
        seen,
        `OpenSSL ${process.versions.openssl} of this Node cannot offer X25519MLKEM768, so what the server could do does not show.`,
        'Run the doctor with Node 24.',
      );
}

/** From 3.5 on. */
function openSslHasMlKem(): boolean {
  const [major = 0, minor = 0] = process.versions.openssl.split('.').map(Number);
  return major > 3 || (major === 3 && minor >= 5);
}

function certificateFinding({ certificate, refused }: TlsFacts, isInsecure: boolean): Finding {
  const { subject, issuer, valid_to: until } = certificate;
  const days = Math.floor((Date.parse(until) - Date.now()) / DAY);
  const nameOf = ({ CN, O }: { CN?: string | string[]; O?: string | string[] }): string => String(CN ?? O ?? 'no name');
  const seen = `${nameOf(subject)}, issued by ${nameOf(issuer)}, until ${until}`;
  if (refused !== undefined) {
    return warning(
      'certificate',
      `${seen}: ${refused}`,
      isInsecure ? 'It is not trusted, and --insecure-tls went on: others are refused.' : 'It is not trusted.',
      'Install a certificate for this name from an authority that clients trust.',
    );
  }
  if (days < CERTIFICATE_WARNING_DAYS)
    return warning('certificate', seen, `It ends in ${days} days.`, 'Renew it; the gateway reads it again on SIGHUP.');
  return good('certificate', seen, `Trusted, for ${days} more days.`);
}

function intermediaries({ call }: Probe): Finding[] {
  const headers = call.upgrade?.headers ?? {};
  const named = ['via', 'cf-ray', 'x-cache', 'x-served-by', 'x-amz-cf-id', 'fly-request-id'].filter(
    (name) => headers[name] !== undefined,
  );
  if (named.length === 0) return [];
  const seen = named.map((name) => `${name}: ${String(headers[name])}`).join(', ');
  return [
    info(
      'intermediary',
      seen,
      'Something between ends TLS and sees the upgrade request. Messages pass through it sealed.',
    ),
  ];
}

/** Whether a server speaks a profile, whoever it is. */
async function speaks(target: Target, profile: Profile, patience: number): Promise<Probe> {
  const { handshakeTimeout, context, ...transport } = target.options;
  for (const demand of ['serverKeys', 'verifyAttestation', 'profile'] as const) delete transport[demand];
  const own: Target['options'] =
    profile === 'v1' ? { ...(context !== undefined && { context }) } : { profile, verifyAttestation: false };
  return probe(
    { ...target, options: { ...transport, ...(handshakeTimeout !== undefined && { handshakeTimeout }), ...own } },
    { patience },
  );
}

function profileFindings(profile: Profile, isSpoken: boolean, message: string, other: Probe): Finding[] {
  const otherName = other.call.socket.pq.profile;
  const also = other.opened ? `also ${otherName}` : `not ${otherName}`;
  if (isSpoken) {
    const mine =
      profile === 'v1'
        ? good('profile', `v1; ${also}`, 'Every message is sealed and in order, and the close is sealed too.')
        : warning(
            'profile',
            `yellowpages; ${also}`,
            'Messages can be dropped and reordered unnoticed, and the close is not sealed.',
            'Move both ends to v1 when you can.',
          );
    return other.opened && profile === 'v1'
      ? [
          mine,
          info(
            'profiles',
            'yellowpages is served on the same port',
            'No client of ours falls back to it, but those that speak it get less.',
            "Take it out of the server's profiles when nobody needs it.",
          ),
        ]
      : [mine];
  }
  const advice = other.opened
    ? `It speaks ${otherName}: give --profile ${otherName} if that is what you want, or let the server speak ${profile}.`
    : 'Is it a plain WebSocket server? Put pq-websocket/ws or the gateway in front. A --context must be the same at both ends.';
  return [
    bad(
      'profile',
      EXIT.HANDSHAKE,
      message,
      message.includes('PQ_ERR_NOT_PQ_WEBSOCKET')
        ? 'What came first has nothing of this protocol in it: a plain WebSocket server, or another service.'
        : `The server does not speak ${profile} with this client, or something changed the hellos.`,
      advice,
    ),
  ];
}

async function fastOpen(target: Target, patience: number): Promise<Finding> {
  const { call, opened, ending } = await probe(target, { patience, options: { fastOpen: true } });
  const authenticated = ending.exitCode === EXIT.AUTHENTICATION;
  if ((opened || authenticated) && call.upgrade?.headers['sec-websocket-protocol'] === 'pqws1') {
    return good(
      'fast-open',
      `supported; open after ${ms(call.begun.open ?? call.begun.handshake)}`,
      'A subprotocol of 2.2 kB passes, and clients may set fastOpen: no round trip is added.',
    );
  }
  if (opened || authenticated)
    return info(
      'fast-open',
      `the upgrade passes, with the subprotocol ${String(call.upgrade?.headers['sec-websocket-protocol'])}`,
      'Whether the hello was answered early cannot be told here.',
    );
  return info(
    'fast-open',
    `not supported: ${ending.message}`,
    'Clients with fastOpen would fail; others are not affected.',
    'If the server supports it, something between drops or limits Sec-WebSocket-Protocol (2.2 kB).',
  );
}
