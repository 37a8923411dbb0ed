/** Puts PQWebSocket beside the platform's own class, for the variant `class`. */
import { PQWebSocket } from '../../../src/index.ts';

Object.assign(globalThis, { ClassUnderTest: PQWebSocket });
