import { bundle, honoRow } from '../shared/hono-runtime.js';

export default honoRow(
  'Bun',
  'websocket: bunHandlers((socket, { data }) => bindEvents(socket, data.events, data.url))',
  process.env.PQ_BUN,
  ['run', bundle('bun.js')],
);
