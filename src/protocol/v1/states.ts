/**
 * A connection's life in v1 (PROTOCOL.md 3).
 *
 *     client  idle -> awaiting server hello -> awaiting finished -> verifying -> (signing) -+
 *                                                                                           +-> open
 *     server  awaiting client hello -> replying -> awaiting finished -> (verifying client) -+
 *                                                          |
 *                                                          +-> closing unconfirmed -> close sent
 *
 *     server, fast open
 *             awaiting client hello -> answering early -> awaiting repeated hello -> awaiting finished
 *                          ^                  |                    |
 *                          +--- no hello -----+                    +-> closing unrepeated -> closing unconfirmed
 *
 *     open -> close sent -> finishing -> ended      this end closed first, or the closes crossed
 *     open ---------------> finishing -> ended      the peer closed, and has its answer
 *
 * `fail` leads from every state but the last two to `failed`.
 */
import type { States } from '../state-machine.ts';

export type State =
  | 'client: idle'
  | 'client: awaiting server hello'
  | 'client: awaiting finished'
  | 'client: verifying'
  | 'client: signing'
  | 'server: awaiting client hello'
  | 'server: answering early'
  | 'server: awaiting repeated hello'
  | 'server: closing unrepeated'
  | 'server: replying'
  | 'server: awaiting finished'
  | 'server: closing unconfirmed'
  | 'server: verifying client'
  | 'open'
  | 'close sent'
  | 'finishing'
  | 'ended'
  | 'failed';

export type Transition =
  | 'start'
  | 'server hello'
  | 'client hello'
  | 'early hello'
  | 'early hello refused'
  | 'hello repeated'
  | 'finished received'
  | 'finished sent'
  | 'to sign'
  | 'client finished'
  | 'peer accepted'
  | 'close'
  | 'peer closed'
  | 'handed over';

export type V1States = States<State, Transition>;

/** From `open` on both roles are the same. */
export const OPEN_STATES: V1States['rows'] = {
  open: [['sends', 'accepted', 'exports', 'receives'], { close: 'close sent', 'peer closed': 'finishing' }],
  'close sent': [['accepted', 'silent', 'exports', 'receives'], { 'peer closed': 'finishing' }],
  finishing: [['accepted', 'silent', 'exports', 'deaf'], { 'handed over': 'ended' }],
  ended: [['accepted', 'silent', 'deaf'], {}],
  failed: [['silent', 'deaf'], {}],
};

export const CLIENT_STATES: V1States = {
  initial: 'client: idle',
  rows: {
    'client: idle': [['unasked'], { start: 'client: awaiting server hello' }],
    'client: awaiting server hello': [[], { 'server hello': 'client: awaiting finished' }],
    'client: awaiting finished': [[], { 'finished received': 'client: verifying' }],
    'client: verifying': [[], { 'peer accepted': 'open', 'to sign': 'client: signing' }],
    'client: signing': [[], { 'peer accepted': 'open' }],
    ...OPEN_STATES,
  },
};
