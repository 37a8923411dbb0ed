import { bundle, honoRow } from '../shared/hono-runtime.js';

export default honoRow(
  'Deno',
  'bindEvents(wrapServerSocket(socket), events, c.req.url) // of Deno.upgradeWebSocket',
  process.env.PQ_DENO,
  ['run', '--allow-all', '--no-config', '--node-modules-dir=manual', '--quiet', bundle('deno.js')],
);
