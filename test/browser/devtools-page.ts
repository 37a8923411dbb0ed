/** What a page loads that has opted in: the inspector, and every `WebSocket` sealed. */
import '../../src/inspect.ts';
import { install } from '../../src/polyfill.ts';

install();
