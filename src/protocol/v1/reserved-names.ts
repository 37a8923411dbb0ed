/** What fast open (PROTOCOL.md 13) means to every connection: subprotocols whose names are the layer's. */

/** What a server selects where the application offers no subprotocol of its own. */
export const FAST_OPEN_PROTOCOL = 'pqws1';
export const TOKEN_PREFIX = 'pqws1.';

/** What a client's upgrade request offered as subprotocols, with fast open. */
export interface ClientOffer {
  /** Whether the application's own were among them. */
  readonly application: boolean;
}

/** Whether a subprotocol's name is the layer's. In any case: WHATWG takes names that differ in case for repeated ones. */
export function isReserved(protocol: string): boolean {
  const name = protocol.toLowerCase();
  return name === FAST_OPEN_PROTOCOL || name.startsWith(TOKEN_PREFIX);
}

/**
 * Whether a client may go on with what the server selected (rule 6).
 * @param offer of one that asked for fast open, and must get a subprotocol
 */
export function isSelectionAllowed(selected: string, offer: ClientOffer | undefined): boolean {
  if (offer === undefined) return !isReserved(selected);
  if (selected === FAST_OPEN_PROTOCOL) return !offer.application;
  return selected !== '' && !isReserved(selected);
}

/** The subprotocol as the application sees it. */
export function applicationProtocol(selected: string): string {
  return isReserved(selected) ? '' : selected;
}
