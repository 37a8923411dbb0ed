/** Upgrade requests of a `WebSocketServer` between `handleUpgrade` and the 101 response (PROTOCOL.md 13). */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { readOffer } from '../protocol/v1/fast-open.ts';
import { FAST_OPEN_PROTOCOL } from '../protocol/v1/reserved-names.ts';
import { joinWrites } from '../platform/node-frames/write.ts';
import { protocolsOf } from '../transport/upgrade-request.ts';
import { weakMapClass } from '../base/captured.ts';

const HEADER = 'sec-websocket-protocol';

interface Upgrade {
  readonly network: Duplex;
  /** The application offers no subprotocol, and the layer's can be selected. */
  readonly selects: boolean;
  readonly clientHello: string | undefined;
}

export class Upgrades {
  readonly #underWay = new (weakMapClass())<IncomingMessage, Upgrade>();

  /** Takes the layer's tokens out of the request's headers, so that neither `ws` nor the application sees them from here on. */
  begin(request: IncomingMessage, network: Duplex): void {
    const offered = protocolsOf(request.headers[HEADER] ?? '');
    const { application, fastOpen, clientHello } = readOffer(offered);
    if (application.length === offered.length) return;
    if (application.length > 0) request.headers[HEADER] = application.join(', ');
    else delete request.headers[HEADER];
    this.#underWay.set(request, { network, selects: fastOpen && application.length === 0, clientHello });
  }

  /** The request has passed every check, and these headers are about to be written. */
  respond(request: IncomingMessage, headers: string[]): void {
    const upgrade = this.#underWay.get(request);
    if (upgrade === undefined) return;
    const isSelected = headers.some((header) => header.toLowerCase().startsWith(`${HEADER}:`));
    if (upgrade.selects && !isSelected) headers.push(`Sec-WebSocket-Protocol: ${FAST_OPEN_PROTOCOL}`);
    // With the handshake's answer. One that takes longer is not waited for.
    if (upgrade.clientHello !== undefined) joinWrites(upgrade.network);
  }

  /** The ClientHello to answer early. */
  helloOf(request: IncomingMessage): string | undefined {
    return this.#underWay.get(request)?.clientHello;
  }
}
