/**
 * A connection's life in yellowpages (PROTOCOL.md 15).
 *
 *     client  idle -> awaiting server hello -> verifying -+
 *                                                         +-> open -> closing -> ended
 *     server  awaiting client hello -> replying ----------+     \____________/
 *
 * Only the transport closes: `closing` gives it what was sent before, `ended` has told it to close or knows that it has.
 */
import type { States } from '../state-machine.ts';

export type YellowpagesState =
  | 'client: idle'
  | 'client: awaiting server hello'
  | 'client: verifying'
  | 'server: awaiting client hello'
  | 'server: replying'
  | 'open'
  | 'closing'
  | 'ended'
  | 'failed';

export type YellowpagesTransition =
  'start' | 'server hello' | 'client hello' | 'agreed' | 'close' | 'handed over' | 'transport closed';

export type YellowpagesStates = States<YellowpagesState, YellowpagesTransition>;

const SHARED: YellowpagesStates['rows'] = {
  open: [['sends', 'accepted', 'receives'], { close: 'closing', 'transport closed': 'ended' }],
  closing: [['accepted', 'silent', 'deaf'], { 'handed over': 'ended', 'transport closed': 'ended' }],
  ended: [['accepted', 'silent', 'deaf'], {}],
  failed: [['silent', 'deaf'], {}],
};

export const YELLOWPAGES_STATES: Readonly<Record<'client' | 'server', YellowpagesStates>> = {
  client: {
    initial: 'client: idle',
    rows: {
      'client: idle': [['unasked'], { start: 'client: awaiting server hello' }],
      'client: awaiting server hello': [[], { 'server hello': 'client: verifying' }],
      'client: verifying': [[], { agreed: 'open' }],
      ...SHARED,
    },
  },
  server: {
    initial: 'server: awaiting client hello',
    rows: {
      'server: awaiting client hello': [[], { 'client hello': 'server: replying' }],
      'server: replying': [['unasked'], { agreed: 'open' }],
      ...SHARED,
    },
  },
};
