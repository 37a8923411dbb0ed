/** The ES module and the CommonJS copy of this package in one process: what is one's is the other's too. */
import { WebSocketServer as PlainServer } from 'ws';
import { expect, test, vi } from 'vitest';
import { PQWebSocketError, secureServer, WebSocketServer } from '../../src/ws.ts';

test('know each other', async () => {
  vi.resetModules();
  const other = await import('../../src/ws.ts');
  expect(other.PQWebSocketError).not.toBe(PQWebSocketError);
  const error = new PQWebSocketError('PQ_ERR_RECORD', 3771, 'local');
  expect(error instanceof other.PQWebSocketError).toBe(true);
  expect(new Error('another') instanceof other.PQWebSocketError).toBe(false);
  class Mine extends other.PQWebSocketError {}
  expect(error instanceof Mine).toBe(false);
  expect(new Mine('PQ_ERR_RECORD', 3771, 'local') instanceof PQWebSocketError).toBe(true);
  expect(() => other.secureServer(secureServer(new PlainServer({ noServer: true })))).toThrow('secure already');
  expect(() => other.secureServer(new WebSocketServer({ noServer: true }))).toThrow('secure already');
});
