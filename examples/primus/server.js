// A Primus server on `ws`, which is secured.
import { createServer } from 'node:http';
import { secureServer } from 'pq-websocket/ws';
import Primus from 'primus';

export async function startServer(port = 8080, options = {}) {
  const httpServer = createServer();
  const primus = new Primus(httpServer, { transformer: 'websockets', ...options });
  secureServer(primus.transformer.service); // the line that is new
  primus.on('connection', (spark) => {
    spark.on('data', (data) => {
      if (Buffer.isBuffer(data)) spark.write(data);
      else if (data.say !== undefined) primus.write({ said: data.say });
      else if (data.bye !== undefined) spark.end({ said: data.bye });
    });
  });
  await new Promise((resolve) => httpServer.listen(port, '127.0.0.1', resolve));
  return { port: httpServer.address().port, primus, close: () => primus.destroy({ close: true }) };
}
