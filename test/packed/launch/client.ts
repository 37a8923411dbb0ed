/** The client's half in a process of its own: Node, Bun and Deno. Prints the report as one line of JSON. */
import { PQWebSocket } from 'pq-websocket';
import { runSuite } from '../suite/client.ts';
import type { Environment } from '../suite/client.ts';

const report = await runSuite(PQWebSocket, JSON.parse(process.argv[2] ?? '') as Environment);
console.log(`REPORT ${JSON.stringify(report)}`);
process.exit();
