/** PROTOCOL.md 10: after a failure nothing is delivered and nothing is sent. */
import { utf8, hex, unhex, cat, zeros, type Message } from '../bytes.ts';
import { inner, entry, closeContent } from '../connection.ts';
import type { Story } from '../story.ts';
import { K, clientHelloOf, serverHelloOf } from '../story.ts';
import { SIDES, open, greeted, from, fresh, goesOn, begin, hello } from './told.ts';

export function failures(): void {
  const kinds: [string, number, (story: Story) => Message][] = [
    ['forged', 3771, (story) => story.forged(hello, { seq: 9 })],
    ['text', 3772, () => ({ text: 'hello' })],
    ['short', 3771, () => ({ binary: hex(zeros(12)) })],
    ['kind', 3772, (story) => story.forged(inner(utf8('x'), 99))],
    ['utf8', 3772, (story) => story.forged(inner(unhex('ff'), K.text))],
    ['batch', 3772, (story) => story.forged(inner(cat(entry(1, utf8('not this')), unhex('01')), K.batch))],
    [
      'batch-utf8',
      3772,
      (story) => story.forged(inner(cat(entry(1, utf8('nor this')), entry(1, unhex('ff'))), K.batch)),
    ],
    ['update', 3772, (story) => story.forged(inner(utf8('x'), K.update))],
    ['close', 3772, (story) => story.forged(inner(closeContent(1005), K.close))],
    ['answer', 3772, (story) => story.forged(inner(closeContent(1000), K.answer))],
  ];
  for (const to of SIDES) {
    for (const [id, code, make] of kinds) {
      const story = from(open(to), id, `nothing is delivered, sent or closed after a failure: ${id}`, 'after failure', [
        '10',
      ]);
      goesOn(story);
      const good = story.peer(K.text, utf8('a good record, with the right seq'));
      story.directions[story.from].seq -= 1;
      story.receive(make(story), { fails: code });
      story
        .receive(good)
        .step({ send: { text: 'more' } })
        .step({ close: { code: 4000 } })
        .receive({ text: 'again' });
      story.step({ transportClosed: 1000 }).sees(code, '', false);
    }
    const hellos = begin(fresh(to, 'hello', 'a good hello after a refused one', 'after failure', ['10']));
    hellos
      .receive({ text: '{}' }, { fails: 3768 })
      .receive({ text: to === 'server' ? clientHelloOf() : serverHelloOf() });
    hellos.step({ send: { text: 'more' } }).sees(3768, '', false);
    const finished = from(greeted(to), 'finished', 'a good Finished after a refused one', 'after failure', ['10']);
    const good = finished.peer(K.finished, utf8('{}'));
    finished.receive(finished.forged(inner(utf8('[]'), K.finished), { seq: 0 }), { fails: 3768 });
    finished
      .receive(good)
      .step({ send: { text: 'more' } })
      .sees(3768, '', false);
    const timed = begin(fresh(to, 'timeout', 'a good hello after the timeout', 'after failure', ['4.3', '10']));
    timed
      .step({ advance: 10_000 }, { fails: 3769 })
      .receive({ text: to === 'server' ? clientHelloOf() : serverHelloOf() })
      .sees(3769, '', false);
    const closed = from(open(to), 'transport', 'a record after the transport has closed', 'after failure', ['9']);
    closed
      .step({ transportClosed: 1006 })
      .receive(closed.peer(K.text, utf8('late')))
      .step({ send: { text: 'late' } })
      .sees(1006, '', false);
  }
}
