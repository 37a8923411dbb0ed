import type { Case } from '../scene.ts';
import { closeCases, handshakeCases } from './close.ts';
import { constructorCases, protocolCases, urlCases } from './constructor.ts';
import { documentCases, leavingCases, requestCases } from './documents.ts';
import { handlerCases } from './handlers.ts';
import { lifetimeCases } from './lifetime.ts';
import { orderCases } from './order.ts';
import { realmCases } from './realms.ts';
import { binaryCases, bufferedCases, sendCases } from './send.ts';
import { surfaceCases } from './surface.ts';

/** In this order: those whose connections succeed come first, since Chromium delays a process in which most fail. */
export const ALL_CASES: readonly Case[] = [
  ...sendCases,
  ...bufferedCases,
  ...binaryCases,
  ...orderCases,
  ...closeCases,
  ...lifetimeCases,
  ...documentCases,
  ...realmCases,
  ...leavingCases,
  ...requestCases,
  ...handlerCases,
  ...protocolCases,
  ...surfaceCases,
  ...constructorCases,
  ...urlCases,
  ...handshakeCases,
];
