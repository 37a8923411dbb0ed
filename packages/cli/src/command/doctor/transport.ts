/** Who the server is, and what is done to its frames on the way. */
import type { Profile } from 'pq-websocket';
import type { Target } from '../client-flags.ts';
import { EXIT } from '../exit-codes.ts';
import { opcodeName } from '../wire-tap.ts';
import type { Finding } from './findings.ts';
import { bad, good, info, warning } from './findings.ts';
import type { Probe } from './probe.ts';
import { probe } from './probe.ts';

const IMPERSONATION = 'Whoever ends TLS live, or breaks it, can pose as this server from the first byte.';

/**
 * What was asked for, and what could be. A server's signature shows by which way a pin fails that nobody has a key for.
 * @param noKey 64 hex digits that are the fingerprint of no key
 */
export async function proofs(
  main: Probe,
  target: Target,
  profile: Profile,
  patience: number,
  noKey: string,
): Promise<Finding[]> {
  const { ending } = main;
  const { serverKeys, verifyAttestation } = target.options;
  const asksAttestation = typeof verifyAttestation === 'function';
  const asks = [
    ...(serverKeys === undefined ? [] : ['a pinned key']),
    ...(asksAttestation ? ['its attestation'] : []),
  ].join(' and ');
  if (ending.exitCode === EXIT.AUTHENTICATION) {
    return [
      bad(
        'server',
        EXIT.AUTHENTICATION,
        ending.message,
        'This is not the server that the pins or PCRs mean, or its key was changed.',
        'Compare with `pq-websocket fingerprint` of its key file, over another way than this connection.',
      ),
    ];
  }
  if (asks !== '' && main.opened) return [good('server', `authenticated by ${asks}`, 'Nobody between can pose as it.')];
  if (ending.exitCode === EXIT.HANDSHAKE) return [];
  const attests = await isAttested(target, profile, patience);
  const signs = profile === 'v1' && (await isSigned(target, patience, noKey));
  const offers = [...(signs ? ['an identity signature'] : []), ...(attests ? ['an attestation document'] : [])].join(
    ' and ',
  );
  if (offers !== '')
    return [
      warning(
        'server',
        `not authenticated; it offers ${offers}`,
        IMPERSONATION,
        `Give clients ${[...(signs ? ['serverKeys (--pin)'] : []), ...(attests ? ['verifyAttestation (--attestation)'] : [])].join(' or ')}.`,
      ),
    ];
  return [
    warning(
      'server',
      'not authenticated, and it offers no proof',
      IMPERSONATION,
      'Make it a key with `pq-websocket keygen`, give it to the server as its identity, and pin it in clients.',
    ),
  ];
}

async function isSigned(target: Target, patience: number, noKey: string): Promise<boolean> {
  const { ending } = await probe(target, { patience, options: { serverKeys: `sha256:${noKey}` } });
  return ending.failure === 'PQ_ERR_SIGNATURE_INVALID';
}

async function isAttested(target: Target, profile: Profile, patience: number): Promise<boolean> {
  let isThere = false;
  await probe(target, {
    patience,
    options: {
      profile,
      verifyAttestation: () => {
        isThere = true;
      },
    },
  });
  return isThere;
}

/** Of an open connection. */
export function alterations(main: Probe, profile: Profile, hasEcho: boolean): Finding[] {
  return [
    ...(profile === 'v1' ? [pingFinding(main)] : []),
    framingFinding(main),
    ...(hasEcho ? [echoFinding(main)] : []),
    closeFinding(main, profile),
  ];
}

function pingFinding({ pong }: Probe): Finding {
  if (pong !== undefined) return good('ping', `answered after ${pong.toFixed(1)} ms`, 'Keepalive works.');
  return warning(
    'ping',
    'no answer',
    'Something drops pings or pongs, or the server ignores them: idle connections may be cut unnoticed.',
    'Let the proxy pass control frames, or keep connections alive with messages.',
  );
}

function framingFinding({ frames }: Probe): Finding {
  const inbound = frames.filter(({ direction }) => direction === 'in');
  const unknown = inbound.filter(({ opcode, reserved }) => reserved !== 0 || !/^[a-z]+$/.test(opcodeName(opcode)));
  if (unknown.length > 0)
    return bad(
      'framing',
      EXIT.ABNORMAL,
      `${unknown.length} frames with reserved bits or opcodes`,
      'An extension that nobody offered is in use.',
      'Switch permessage-deflate off in the proxy: sealed frames do not compress.',
    );
  const parts = inbound.filter(({ opcode, isFinal }) => opcode === 0 || !isFinal);
  if (parts.length > 0)
    return info(
      'framing',
      `messages came in fragments (${parts.length} frames)`,
      'Something between cuts messages into frames, or the server does. The secure layer is not affected.',
    );
  return good(
    'framing',
    `${inbound.length} frames, whole, without extensions`,
    'Nobody re-frames or compresses what the server sends.',
  );
}

function echoFinding({ echo, ending }: Probe): Finding {
  const wrong = echo.filter(({ result }) => result !== 'same');
  const list = (results: typeof echo): string =>
    results.map(({ kind, bytes, result }) => `${kind} of ${bytes} bytes: ${result}`).join('; ');
  if (wrong.length === 0)
    return good(
      'echo',
      `${echo.length} messages up to ${Math.max(...echo.map(({ bytes }) => bytes))} bytes came back as they were`,
      'Kinds, bytes and order hold both ways.',
    );
  return bad(
    'echo',
    EXIT.ABNORMAL,
    list(wrong),
    ending.exitCode === EXIT.OK
      ? 'The server does not echo, or not as it came.'
      : `The connection did not survive it: ${ending.message}.`,
    'Is it an echo server? If small ones pass and large ones do not, something between limits sizes or time.',
  );
}

function closeFinding({ ending, call }: Probe, profile: Profile): Finding {
  if (!ending.wasClean)
    return bad(
      'close',
      EXIT.ABNORMAL,
      ending.message,
      'The connection was cut, or its frames were changed, before both had said goodbye.',
      'A proxy that ends connections early, or a server that does not answer a close.',
    );
  if (profile === 'yellowpages')
    return info('close', ending.message, 'In this profile anybody between could have said so.');
  return good(
    'close',
    `${ending.message}${call.socket.pq.closeAnswered === false ? ', crossed' : ''}`,
    'Both ends know that nothing is missing.',
  );
}
