/** What to try when a connection fails: for each failure the flag, or the command, that is about it. */
import type { PQErrorCode } from 'pq-websocket/ws';

/** What is under way. */
export type Phase = 'tcp' | 'tls' | 'upgrade' | 'handshake' | 'open';

/** How far it came, and what said no. */
export interface Trouble {
  readonly phase: Phase;
  readonly url: string;
  readonly failure: PQErrorCode | undefined;
  /** A code of the system, of TLS or of Node. */
  readonly cause: string | undefined;
  /** Of an HTTP answer that was not 101. */
  readonly status: number | undefined;
  /** That answer says where to go in place of here. */
  readonly leadsElsewhere: boolean;
  /** The server has refused this client for who it is, or is not. */
  readonly isStranger: boolean;
}

/** By the codes of OpenSSL and Node. */
const TLS: readonly (readonly [RegExp, string])[] = [
  [/ALTNAME_INVALID/, 'The certificate is for another name: --servername NAME expects that one.'],
  [
    /SELF_SIGNED|UNABLE_TO|UNTRUSTED|CERT_SIGNATURE|ISSUER/,
    'No authority that is known here has signed the certificate: --ca FILE trusts yours, --insecure-tls takes any.',
  ],
  [
    /CERT_HAS_EXPIRED|NOT_YET_VALID/,
    'Look at the dates with `pq-websocket doctor`, and at the clock here; --insecure-tls takes it as it is.',
  ],
  [
    /CERTIFICATE_REQUIRED|ALERT_BAD_CERTIFICATE|ALERT_HANDSHAKE_FAILURE|ALERT_UNKNOWN_CA|ALERT_CERTIFICATE/,
    'The server may want a client certificate: --cert FILE and --key FILE.',
  ],
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH|HTTP_REQUEST/, 'It may speak no TLS on this port: try ws: in place of wss:.'],
];

const STATUS: Readonly<Record<number, string>> = {
  400: 'Is it a WebSocket address? --subprotocol, --header and --origin are what a server may ask for.',
  401: "It wants to know who you are: --auth USER:PASSWORD, or --header 'Authorization: …'.",
  403: 'It refuses this client: --origin, --auth and --header are what it may go by.',
  404: "There is nothing at this path: look at the URL's.",
  407: 'The proxy wants to know who you are: --proxy http://USER:PASSWORD@HOST:PORT.',
  426: 'It is there and wants another kind of request: look at the path, and at --subprotocol.',
  429: 'Too many at once for this server: wait, and try again.',
  431: 'The request is too long for it: leave out --fast-open, or headers.',
};

const SECURE_LAYER: Readonly<Partial<Record<PQErrorCode, string>>> = {
  PQ_ERR_NOT_PQ_WEBSOCKET:
    'It is a plain WebSocket, or another service: put pq-websocket/ws or the gateway in front of it.',
  PQ_ERR_VERSION: 'It speaks another version of the protocol: update the older end.',
  PQ_ERR_HANDSHAKE_TIMEOUT:
    'It may be a plain WebSocket that waits for you, or slow: --handshake-timeout MS waits longer.',
  PQ_ERR_FAST_OPEN: 'Leave out --fast-open.',
  PQ_ERR_RECORD: '--context must be the same at both ends, and --profile one that the server speaks.',
  PQ_ERR_FINISHED: '--context must be the same at both ends, and --profile one that the server speaks.',
  PQ_ERR_PEER: '--context must be the same at both ends, and --profile one that the server speaks.',
  PQ_ERR_SIGNATURE_MISSING: 'The server has no identity: it needs one, or leave out --pin.',
  PQ_ERR_SIGNATURE_INVALID:
    '--pin is not of this server. `pq-websocket fingerprint FILE` prints the right one, from its key; never take one from the wire.',
  PQ_ERR_ATTESTATION_MISSING:
    'The server is no enclave, or does not say so: leave out --attestation to talk to it all the same.',
  PQ_ERR_ATTESTATION_REFUSED: '--pcr must be what the enclave was built as.',
  PQ_ERR_MESSAGE_SIZE: '--max-message BYTES takes longer ones.',
  PQ_ERR_FRAME_SIZE: '--max-message BYTES takes longer ones.',
};

/** @returns a sentence or two, safe for a terminal */
export function hintFor({
  phase,
  url,
  failure,
  cause,
  status,
  leadsElsewhere,
  isStranger,
}: Trouble): string | undefined {
  // Its query may be a secret.
  const doctor = `\`pq-websocket doctor ${url.split('?', 1)[0] ?? ''}\` looks closer.`;
  if (status !== undefined) {
    if (status >= 300 && status < 400 && leadsElsewhere) return '--follow goes where it points.';
    return STATUS[status] ?? doctor;
  }
  if (isStranger)
    return '--identity FILE says who this client is; its key must be among those that the server lets in.';
  switch (phase) {
    case 'tcp':
      if (cause?.startsWith('PROXY_') === true)
        return cause === 'PROXY_407' ? STATUS[407] : '--proxy URL takes another proxy, --no-proxy none.';
      return cause === 'ENOTFOUND' || cause === 'EAI_AGAIN'
        ? 'Is the name right? Behind a proxy that looks names up: --proxy http://HOST:PORT.'
        : 'Is it running, and the port right? Behind a proxy: --proxy http://HOST:PORT.';
    case 'tls':
      return TLS.find(([pattern]) => pattern.test(cause ?? ''))?.[1] ?? doctor;
    case 'upgrade':
      return doctor;
    case 'handshake': {
      const known = failure && SECURE_LAYER[failure];
      return [known ?? 'It may not speak pq-websocket.', doctor].join(' ');
    }
    case 'open':
      return (failure && SECURE_LAYER[failure]) ?? doctor;
  }
}
