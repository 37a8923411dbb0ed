/** What the kinds are called that the secure layer has for itself. Beside what watches, since a client that nobody watches needs none of it. */
import type { InspectControlKind } from '../api/inspect-types.ts';
import { Map } from '../base/captured.ts';
import * as Kind from '../protocol/v1/kinds.ts';

/** By kind (PROTOCOL.md 7.6). */
export const CONTROL_KINDS: ReadonlyMap<number, InspectControlKind> = /* @__PURE__ */ new Map<
  number,
  InspectControlKind
>([
  [Kind.FINISHED, 'finished'],
  [Kind.KEY_UPDATE, 'key update'],
  [Kind.EXCHANGE_WANTED, 'exchange wanted'],
  [Kind.EXCHANGE_OFFER, 'exchange offer'],
  [Kind.EXCHANGE_ANSWER, 'exchange answer'],
  [Kind.EXCHANGE_END, 'exchange end'],
  [Kind.PING, 'ping'],
  [Kind.PONG, 'pong'],
]);
