/** The original system's client and ours, in a page. */
import { PQWebSocket } from '../../src/index.ts';
import { originalRequest } from '../support/original-client.ts';

Object.assign(globalThis, { PQWebSocket, originalRequest });
