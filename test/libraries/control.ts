/** Shows that the judge of the rows can find something: plain npm `ws`, saying one thing at a time, is reported each time. */
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { once } from '../support/deferred.ts';
import type { RowModule } from './report.ts';
import { runRow } from './run-row.ts';

const SAID = 'what an application says in clear';

const WAYS: Readonly<Record<string, (client: WebSocket) => void>> = {
  'a text': (client) => {
    client.send(SAID);
  },
  'a binary message': (client) => {
    client.send(Buffer.from(SAID));
  },
  'a text in base64': (client) => {
    client.send(Buffer.from(Buffer.from(`with more before ${SAID} and after`).toString('base64')));
  },
  'a ping’s payload': (client) => {
    client.ping(SAID);
  },
  'a pong’s payload': (client) => {
    client.pong(SAID);
  },
  'a close reason': (client) => {
    client.close(1000, SAID);
  },
  'a close code': (client) => {
    client.close(4403);
  },
};

function plainRow(say: (client: WebSocket) => void): RowModule {
  return {
    library: 'ws',
    side: 'client and server',
    page: '',
    plug: [],
    words: [],
    async start({ hide }) {
      hide(SAID);
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
      await once(server, 'listening');
      return {
        port: (server.address() as AddressInfo).port,
        close: () => {
          server.close();
        },
      };
    },
    cases: {
      async said({ url }) {
        const client = new WebSocket(url);
        await once(client, 'open');
        say(client);
        client.close();
        await once(client, 'close');
      },
    },
  };
}

/** @returns the ways to say something that nobody noticed: none, if the judge is worth anything */
async function unnoticed(): Promise<string[]> {
  const missed: string[] = [];
  for (const [name, say] of Object.entries(WAYS)) {
    const { leaks, cases } = await runRow(plainRow(say));
    if (leaks.length === 0 || cases.some(({ error }) => error !== undefined)) missed.push(name);
  }
  return missed;
}

process.stdout.write(
  `REPORT ${JSON.stringify({ ways: Object.keys(WAYS).length, unnoticed: await unnoticed() })}\n`,
  () => process.exit(),
);
