import { bundle, honoRow } from '../shared/hono-runtime.js';

export default honoRow(
  'workerd',
  'bindEvents(wrapServerSocket(server), events, c.req.url) // of a WebSocketPair',
  process.env.PQ_WORKERD,
  ['serve', '--control-fd=3', bundle('workerd.capnp')],
  /"event":\s*"listen".*"port":\s*(\d+)/,
);
