/** PROTOCOL.md 3, 4.2 and 4.3: states before Finished. */
import { utf8, hex, cat, zeros } from '../bytes.ts';
import { inner, entry, closeContent } from '../connection.ts';
import type { Story } from '../story.ts';
import { K, clientHelloOf, serverHelloOf, type Setup } from '../story.ts';
import { SIDES, said, opening, open, greeted, from, fresh, goesOn, begin, signedContent } from './told.ts';

export function states(): void {
  for (const to of SIDES) {
    begin(fresh(to, 'frame-for-hello', 'a frame where a hello is due', 'state', ['3', '4.1'])).refuses(
      { binary: hex(zeros(64)) },
      3768,
    );
    for (let kind = 1; kind <= 14; kind += 1) {
      if (kind === K.finished) continue;
      const story = from(
        greeted(to),
        `record-0-kind-${kind}`,
        `record 0 is of kind ${kind}, with content {}`,
        'state',
        ['4.2', '7.2'],
      );
      story.refuses(story.peer(kind, utf8('{}')), 3768);
    }
    for (const kind of [K.text, K.binary, K.batch, K.update, K.close, K.answer]) {
      const content =
        {
          [K.text]: utf8('hi'),
          [K.binary]: zeros(3),
          [K.batch]: cat(entry(1, utf8('a')), entry(1, utf8('b'))),
          [K.close]: closeContent(1000),
          [K.answer]: closeContent(1000),
        }[kind as 1] ?? zeros(0);
      const story = from(greeted(to), `record-0-good-${kind}`, `record 0 is a good record of kind ${kind}`, 'state', [
        '4.2',
        '7.2',
      ]);
      story.refuses(story.peer(kind, content), 3768);
    }
    const padded = from(greeted(to), 'padded-finished', 'Finished is padded', 'padding', ['4.2', '7.3']);
    const message = padded.peer(K.finished, utf8('{}'), 62);
    padded.receive(
      message,
      to === 'client' ? { accepts: true, sends: [padded.own(K.finished, utf8('{}'))] } : { accepts: true },
    );
    goesOn(padded);
    const second = from(greeted(to), 'second-hello', 'the hello once more', 'state', ['3', '17']);
    second.refuses({ text: to === 'server' ? second.clientHello : second.serverHello }, 3768);
    const late = from(open(to), 'hello-when-open', 'the hello once more, when open', 'state', ['17']);
    late.refuses({ text: to === 'server' ? late.clientHello : late.serverHello }, 3772);
    const quiet = begin(
      fresh(to, 'close-before-hello', 'the application closes before a hello has come: no sealed close', 'close', [
        '3',
        '10',
      ]),
    );
    quiet
      .step({ close: { code: 4000, reason: 'bye' } }, { closes: 'no code' })
      .step({ transportClosed: 1005 })
      .sees(1006, '', false);
  }
  const early = from(
    greeted('client'),
    'close-before-finished',
    'the application closes before Finished(server): no sealed close',
    'close',
    ['3.1', '10'],
  );
  early
    .step({ close: { code: 4000 } }, { closes: 'no code' })
    .step({ transportClosed: 1005 })
    .sees(1006, '', false);
  const queued = from(
    greeted('client'),
    'queued',
    'what the application sends before Finished(server) waits',
    'state',
    ['3.1', '4.2'],
  );
  queued.step({ send: { text: 'too early' } });
  const good = queued.peer(K.finished, utf8('{}'));
  queued.receive(good, {
    accepts: true,
    sends: [queued.own(K.finished, utf8('{}')), queued.own(K.text, utf8('too early'))],
  });
  const lost = from(
    greeted('client'),
    'queued-refused',
    'and is never sent where Finished(server) is refused',
    'after failure',
    ['3.1', '10'],
  );
  lost.step({ send: { text: 'too early' } });
  lost.refuses(lost.forged(inner(utf8('{}'), K.finished), { seq: 1 }), 3768);

  // A server that has sent its Finished
  const server = greeted('server');
  const speaks = from(server, 'speaks-first', 'a server may send before Finished(client)', 'state', ['3.2']);
  speaks.step({ send: { text: 'welcome' } }, { sends: [speaks.own(K.text, utf8('welcome'))] });
  speaks.finished();
  goesOn(speaks);
  const phase = from(server, 'phase', 'a server that has sent is still in the first phase: 3768', 'state', ['10']);
  phase.step({ send: { text: 'welcome' } }, { sends: [phase.own(K.text, utf8('welcome'))] });
  phase.refuses(phase.forged(inner(utf8('x'), K.text), { seq: 0 }), 3768);
  const closing = (id: string, title: string): Story => {
    const story = from(server, id, title, 'close', ['3.2', '9']);
    return story.step(
      { close: { code: 4000, reason: 'full' } },
      { sends: [story.own(K.close, closeContent(4000, 'full'))] },
    );
  };
  const confirmed = closing(
    'unconfirmed',
    'a server closes right after its Finished: Finished(client) first, then the answer',
  );
  confirmed.receive(confirmed.peer(K.finished, utf8('{}')), { accepts: true });
  confirmed.receive(confirmed.peer(K.text, utf8('discarded')));
  confirmed.receive(confirmed.peer(K.answer, closeContent(4000, 'full')), { closes: 1000 });
  confirmed.step({ transportClosed: 1000 }).sees(4000, 'full', true);
  const hasty = closing('unconfirmed-answer', 'the answer without Finished(client)');
  hasty.refuses(hasty.peer(K.answer, closeContent(4000, 'full')), 3768);
  const slow = closing('unconfirmed-timeout', "the handshake's timer goes on");
  slow.step({ advance: 10_000 }, { fails: 3769 }).sees(3769, '', false);
  const mute = closing('unconfirmed-send', 'nothing is sent after a close');
  mute.step({ send: { text: 'more' } });

  // A server that is signing
  const signing: Setup = { identity: 'identity', held: ['sign'] };
  for (const [id, make] of [
    ['hello', () => ({ text: clientHelloOf() })],
    ['text', () => ({ text: '{}' })],
    ['frame', () => ({ binary: hex(zeros(40)) })],
  ] as const) {
    const story = fresh(
      'server',
      `replying-${id}`,
      `a ${id} while the server makes its reply`,
      'state',
      ['3.2', '17'],
      signing,
    ).step({ start: true });
    story.agree(clientHelloOf(), serverHelloOf()).receive({ text: story.clientHello });
    story.refuses(make(), 3768);
    story.step({ finish: 'sign', result: 'ok' });
  }
  const fails = fresh(
    'server',
    'signer-fails',
    'its signer fails: neither hello nor Finished is sent',
    'authentication',
    ['4.2'],
    signing,
  ).step({ start: true });
  fails
    .receive({ text: clientHelloOf() })
    .step({ finish: 'sign', result: 'refused' }, { fails: 3770 })
    .sees(3770, '', false);
  const gone = fresh('server', 'replying-close', 'the application closes meanwhile', 'close', ['3.2'], signing).step({
    start: true,
  });
  gone
    .receive({ text: clientHelloOf() })
    .step({ close: { code: 4000 } }, { closes: 'no code' })
    .step({ finish: 'sign', result: 'ok' });
  gone.step({ transportClosed: 1005 }).sees(1006, '', false);

  // A client that is verifying
  const verifying = opening(
    'verifying',
    'client',
    (story) => {
      story.hellos();
      story.receive(story.peer(K.finished, utf8(signedContent(story, 'identity'))));
    },
    { pins: ['identity'], held: ['verify'] },
  );
  const waits = from(
    verifying,
    'verifying-waits',
    'what arrives while the client verifies is delivered after, in order',
    'state',
    ['3.1'],
  );
  waits.receive(waits.peer(K.text, utf8('one'))).receive(waits.peer(K.text, utf8('two')));
  waits.step(
    { finish: 'verify', result: 'ok' },
    { accepts: true, sends: [waits.own(K.finished, utf8('{}'))], delivers: [...said('one'), ...said('two')] },
  );
  const refused = from(verifying, 'verifying-refused', 'and never where the verification fails', 'after failure', [
    '3.1',
    '10',
  ]);
  refused
    .receive(refused.peer(K.text, utf8('one')))
    .step({ finish: 'verify', result: 'refused' }, { fails: 3770 })
    .sees(3770, '', false);
  const bad = from(verifying, 'verifying-bad', 'a bad frame that waited is judged by the rules of open', 'state', [
    '3.1',
    '10',
  ]);
  bad.receive(bad.forged(inner(utf8('x'), K.text), { seq: 9 }));
  bad
    .step({ finish: 'verify', result: 'ok' }, { accepts: true, sends: [bad.own(K.finished, utf8('{}'))], fails: 3771 })
    .sees(3771, '', false);
  const textual = from(verifying, 'verifying-text', 'a text message that waited too', 'state', ['3.1', '10']);
  textual.receive({ text: 'hello' });
  textual
    .step(
      { finish: 'verify', result: 'ok' },
      { accepts: true, sends: [textual.own(K.finished, utf8('{}'))], fails: 3772 },
    )
    .sees(3772, '', false);
  for (const code of [1000, 1001]) {
    const cut = from(
      verifying,
      `verifying-transport-${code}`,
      `the transport closes with ${code} meanwhile: nothing that waits is delivered`,
      'transport close',
      ['3.1', '9'],
    );
    cut
      .receive(cut.peer(K.text, utf8('one')))
      .step({ transportClosed: code })
      .step({ finish: 'verify', result: 'ok' });
    cut.sees(code === 1000 ? 1006 : code, '', false);
  }
  const shut = from(verifying, 'verifying-close', 'the application closes meanwhile: no sealed close', 'close', [
    '3.1',
    '10',
  ]);
  shut.step({ close: { code: 4000 } }, { closes: 'no code' }).step({ finish: 'verify', result: 'ok' });
  shut.step({ transportClosed: 1005 }).sees(1006, '', false);
  const slowly = from(verifying, 'verifying-timeout', 'the verification takes too long', 'timer', ['4.3']);
  slowly.step({ advance: 10_000 }, { fails: 3769 }).sees(3769, '', false);

  // 4.3: timers
  for (const to of SIDES) {
    const hello = begin(fresh(to, 'no-hello', 'no hello within 10 s', 'timer', ['4.3']));
    hello.step({ advance: 9_999 }).step({ advance: 1 }, { fails: 3769 }).sees(3769, '', false);
    const finished = from(greeted(to), 'no-finished', 'no Finished within 10 s of the beginning', 'timer', ['4.3']);
    finished.step({ advance: 10_000 }, { fails: 3769 }).sees(3769, '', false);
    const idle = from(open(to), 'idle', 'an open connection may be idle for a day', 'timer', ['4.3', '8']);
    idle.step({ advance: 86_400_000 });
    idle.receive(idle.peer(K.text, utf8('hello')), { delivers: said('hello') });
  }
}
