/** What the process's exit says. docs/cli.md has this table, and a test compares the two. */
export const EXIT = {
  OK: 0,
  FAILED: 1,
  USAGE: 2,
  UNREACHABLE: 3,
  TLS: 4,
  UPGRADE: 5,
  HANDSHAKE: 6,
  AUTHENTICATION: 7,
  ABNORMAL: 8,
  PEER_CODE: 9,
  INCOMPLETE: 10,
  HUNG_UP: 129,
  INTERRUPTED: 130,
  TERMINATED: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Of `connect`, and where they apply of the other commands. */
export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  [EXIT.OK]: 'the connection ended cleanly, with the code 1000, none, or the one that this side chose',
  [EXIT.FAILED]: 'a file, the input or the output failed, or something else on this side',
  [EXIT.USAGE]: 'the command line is wrong; nothing was connected',
  [EXIT.UNREACHABLE]: 'no TCP connection: unknown host, refused, timed out',
  [EXIT.TLS]: 'no TLS connection, or its certificate was refused',
  [EXIT.UPGRADE]: 'the server did not upgrade to a WebSocket: another HTTP status, or no valid answer',
  [EXIT.HANDSHAKE]:
    'the secure handshake failed (3768, 3769): not a pq-websocket server, another profile or context, or an attack',
  [EXIT.AUTHENTICATION]:
    'the server did not prove who it is (3770): no valid signature by a pinned key, or no attestation that passes; or it does not let this client in',
  [EXIT.ABNORMAL]:
    'the open connection was cut, or a record was refused (3771 to 3773): the other side said no goodbye',
  [EXIT.PEER_CODE]: 'the peer ended it cleanly, with another code than 1000',
  [EXIT.INCOMPLETE]:
    'it ended cleanly, but before all input was sent, or the replies had come that --count or --wait was for',
  [EXIT.HUNG_UP]: 'its terminal has closed (SIGHUP)',
  [EXIT.INTERRUPTED]: 'ended by Ctrl-C (SIGINT)',
  [EXIT.TERMINATED]: 'ended by SIGTERM',
};

/** The caller's mistake: said without a stack, and the exit code is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
