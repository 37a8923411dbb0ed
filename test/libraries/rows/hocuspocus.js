import assert from 'node:assert/strict';
import { join, runClient } from '../../../examples/hocuspocus/client.js';
import { startServer } from '../../../examples/hocuspocus/server.js';

const TOKEN = 'the token of this document';

const arrives = ({ document }, text) =>
  new Promise((resolve) => {
    const body = document.getText('body');
    const look = () => body.toString().includes(text) && resolve();
    body.observe(look);
    look();
  });

export default {
  library: '@hocuspocus/provider',
  with: ['@hocuspocus/server', 'yjs'],
  page: 'hocuspocus',
  side: 'client and server',
  plug: [
    'new HocuspocusProviderWebsocket({ url, WebSocketPolyfill: PQWebSocket })',
    'hocuspocus.handleConnection(socket, request) // in our server’s ‘connection’',
  ],
  words: ['permission-denied'],
  start({ hide }) {
    hide(TOKEN);
    return startServer(0, {
      async onAuthenticate({ documentName, token }) {
        if (documentName.startsWith('private') && token !== TOKEN) throw new Error('no');
      },
    });
  },
  cases: {
    async 'the example: what one writes, the other reads'({ url, secret }) {
      const text = secret('written');
      assert.deepEqual(await runClient(url, text), [text]);
    },
    async 'a document’s name and token, accepted and refused'({ url, secret }) {
      const name = `private-${secret('name')}`;
      const member = join(url, name, { token: TOKEN });
      const text = secret('private');
      await new Promise((resolve) => {
        member.provider.on('synced', resolve);
      });
      member.document.getText('body').insert(0, text);
      const stranger = join(url, name, { token: secret('wrong') });
      await new Promise((resolve) => {
        stranger.provider.on('authenticationFailed', resolve);
      });
      assert.equal(stranger.document.getText('body').toString(), '');
      member.leave();
      stranger.leave();
    },
    async 'edits made while the connection was cut arrive'({ url, tap, secret }) {
      const [one, two] = [join(url, 'cut'), join(url, 'cut')];
      const first = secret('first');
      one.document.getText('body').insert(0, first);
      await arrives(two, first);
      const gone = new Promise((resolve) => {
        one.websocketProvider.on('disconnect', resolve);
      });
      tap.connections.at(-2).cut();
      await gone;
      const offline = secret('offline');
      one.document.getText('body').insert(0, offline);
      await arrives(two, offline);
      one.leave();
      two.leave();
    },
  },
};
