/** The client's half in a process of its own: Node, Bun and Deno. Prints the report as one line of JSON. */
import { PQWebSocket } from 'pq-websocket';
import { PQWebSocketStream, WebSocketError } from 'pq-websocket/stream';
import { runSuite } from '../suite/client.ts';
import type { Environment } from '../suite/client.ts';

const CLASSES = { PQWebSocket, PQWebSocketStream, WebSocketError };

const report = await runSuite(CLASSES, JSON.parse(process.argv[2] ?? '') as Environment);
console.log(`REPORT ${JSON.stringify(report)}`);
process.exit();
