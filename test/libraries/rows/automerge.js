import assert from 'node:assert/strict';
import { find, join, runClient } from '../../../examples/automerge/client.js';
import { startServer } from '../../../examples/automerge/server.js';
import { nextEnd } from '../shared/ends.js';

/** Each retry makes a new socket and forgets the one before, also where that is about to open. */
const RETRY_MS = 2_000;

/** Two repositories that are connected. */
async function joined(url, retryMilliseconds) {
  const repos = [join(url, retryMilliseconds), join(url, retryMilliseconds)];
  await Promise.all(repos.map((repo) => repo.networkSubsystem.whenReady()));
  return repos;
}

/** Resolves when the document passes. */
function reaches(handle, passes) {
  return new Promise((resolve) => {
    const look = () => passes(handle.doc()) && resolve();
    handle.on('change', look);
    look();
  });
}

export default {
  library: '@automerge/automerge-repo-network-websocket',
  with: ['@automerge/automerge-repo'],
  page: 'automerge',
  side: 'client and server',
  plug: [
    "import 'pq-websocket/register' // on Node; install() of pq-websocket/polyfill in a browser",
    'new WebSocketServerAdapter(new WebSocketServer({ port }))',
  ],
  words: ['documentId', 'supportedProtocolVersions'],
  start: () => startServer(0),
  cases: {
    async 'the example: what one writes, the other reads'({ url, secret }) {
      const text = secret('written');
      assert.deepEqual(await runClient(url, text), [text]);
    },
    async 'two who edit at once converge, bytes too'({ url, secret }) {
      const repos = await joined(url);
      const one = repos[0].create({ text: secret('title') });
      const two = await find(repos[1], one.url);
      const bytes = new TextEncoder().encode(secret('bytes'));
      const author = secret('author');
      one.change((document) => {
        document.bytes = bytes;
      });
      two.change((document) => {
        document.author = author;
      });
      const whole = (document) => document.author === author && document.bytes !== undefined;
      await Promise.all([reaches(one, whole), reaches(two, whole)]);
      assert.deepEqual(two.doc().bytes, bytes);
      await Promise.all(repos.map((repo) => repo.shutdown()));
    },
    async 'an ephemeral message'({ url, secret }) {
      const repos = await joined(url);
      const one = repos[0].create({ text: 'here' });
      const two = await find(repos[1], one.url);
      const heard = new Promise((resolve) => two.on('ephemeral-message', ({ message }) => resolve(message)));
      const cursor = { at: secret('cursor') };
      one.broadcast(cursor);
      assert.deepEqual(await heard, cursor);
      await Promise.all(repos.map((repo) => repo.shutdown()));
    },
    async 'edits made while the connection was cut arrive'({ url, tap, secret }) {
      const repos = await joined(url, RETRY_MS);
      const one = repos[0].create({ text: 'before' });
      const two = await find(repos[1], one.url);
      const gone = new Promise((resolve) => repos[0].networkSubsystem.on('peer-disconnected', resolve));
      for (const connection of tap.connections.slice(-2)) connection.cut();
      await gone;
      const text = secret('offline');
      one.change((document) => {
        document.text = text;
      });
      await reaches(two, (document) => document.text === text);
      await Promise.all(repos.map((repo) => repo.shutdown()));
    },
    async 'a shutdown closes cleanly'({ url, server }) {
      const end = nextEnd(server.server);
      const repo = join(url);
      await repo.networkSubsystem.whenReady();
      await repo.shutdown();
      assert.notEqual(await end, 1006);
    },
  },
};
