import assert from 'node:assert/strict';
import { filter, firstValueFrom, retry, tap as peek, toArray } from 'rxjs';
import { connect, runClient } from '../../../examples/rxjs/client.js';
import { startServer } from '../../../examples/rxjs/server.js';

export default {
  library: 'rxjs',
  page: 'rxjs',
  side: 'client',
  plug: ['webSocket({ url, WebSocketCtor: PQWebSocket })'],
  words: ['see you', '"text"'],
  start: () => startServer(0),
  cases: {
    async 'the example: two messages and their echoes'({ url, secret }) {
      const text = secret('rx');
      assert.deepEqual(await runClient(url, text), [{ text }, { more: text }]);
    },
    async 'several observers of one socket: multiplex'({ url, secret }) {
      const subject = connect(url);
      const rooms = [secret('room'), secret('room')];
      const heard = rooms.map((room) =>
        firstValueFrom(
          subject.multiplex(
            () => ({ room }),
            () => ({ leave: room }),
            (value) => value.room === room,
          ),
        ),
      );
      assert.deepEqual(
        await Promise.all(heard),
        rooms.map((room) => ({ room })),
      );
      subject.complete();
    },
    async 'the open and close observers, and the server’s own close as completion'({ url }) {
      const events = [];
      const subject = connect(url, {
        openObserver: { next: ({ type }) => events.push(type) },
        closeObserver: { next: ({ code, reason: said }) => events.push(code, said) },
        serializer: (value) => value,
        deserializer: ({ data }) => data,
      });
      subject.next('bye');
      // RxJS completes when `wasClean` is true.
      assert.deepEqual(
        await new Promise((resolve, reject) => subject.pipe(toArray()).subscribe({ next: resolve, error: reject })),
        [],
      );
      assert.deepEqual(events, ['open', 4000, 'see you']);
    },
    async 'error({ code, reason }) closes with just that'({ url, secret }) {
      const reason = secret('reason');
      const closed = new Promise((resolve) => {
        const subject = connect(url, {
          openObserver: { next: () => subject.error({ code: 4321, reason }) },
          closeObserver: { next: resolve },
        });
        subject.subscribe({ error: () => undefined });
      });
      const { code, reason: said, wasClean } = await closed;
      assert.deepEqual([code, said, wasClean], [4321, reason, true]);
    },
    async 'binary, with a serializer'({ url, secret }) {
      const bytes = new TextEncoder().encode(secret('binary'));
      const subject = connect(url, {
        binaryType: 'arraybuffer',
        serializer: (value) => value,
        deserializer: ({ data }) => data,
      });
      subject.next(bytes);
      assert.deepEqual(new Uint8Array(await firstValueFrom(subject)), bytes);
      subject.complete();
    },
    async 'a cut is an error, and retry() connects again'({ url, tap, secret }) {
      let opened = 0;
      const text = secret('after-the-cut');
      const subject = connect(url, {
        openObserver: {
          next() {
            opened += 1;
            if (opened === 1) tap.connections.at(-1).cut();
            else subject.next({ text });
          },
        },
      });
      let errors = 0;
      const heard = await firstValueFrom(
        subject.pipe(
          peek({
            error: () => {
              errors += 1;
            },
          }),
          retry(3),
          filter((value) => value.text === text),
        ),
      );
      assert.deepEqual([heard, opened, errors], [{ text }, 2, 1]);
      subject.complete();
    },
  },
};
