/** The server's half of PROTOCOL.md 3: apart from the client's, since a page has no use for it. */
import type { V1States } from './states.ts';
import { OPEN_STATES } from './states.ts';

export const SERVER_STATES: V1States = {
  initial: 'server: awaiting client hello',
  rows: {
    'server: awaiting client hello': [
      [],
      { 'client hello': 'server: replying', 'early hello': 'server: answering early' },
    ],
    'server: answering early': [
      [],
      { 'finished sent': 'server: awaiting repeated hello', 'early hello refused': 'server: awaiting client hello' },
    ],
    'server: awaiting repeated hello': [
      ['sends', 'exports', 'receives'],
      { 'hello repeated': 'server: awaiting finished', close: 'server: closing unrepeated' },
    ],
    'server: closing unrepeated': [
      ['silent', 'exports', 'receives'],
      { 'hello repeated': 'server: closing unconfirmed' },
    ],
    'server: replying': [['unasked'], { 'finished sent': 'server: awaiting finished' }],
    'server: awaiting finished': [
      ['sends', 'exports', 'receives'],
      { 'peer accepted': 'open', 'client finished': 'server: verifying client', close: 'server: closing unconfirmed' },
    ],
    'server: closing unconfirmed': [['silent', 'exports', 'receives'], { 'peer accepted': 'close sent' }],
    'server: verifying client': [[], { 'peer accepted': 'open' }],
    ...OPEN_STATES,
  },
};

/**
 * Of a server that demands to know its client (PROTOCOL.md 23): until it does it surfaces, sends (but its Finished) and
 * delivers nothing, so it closes nothing either.
 */
export const DEMANDING_SERVER_STATES: V1States = {
  initial: 'server: awaiting client hello',
  rows: {
    ...SERVER_STATES.rows,
    'server: awaiting repeated hello': [[], { 'hello repeated': 'server: awaiting finished' }],
    'server: awaiting finished': [[], { 'client finished': 'server: verifying client' }],
  },
};
