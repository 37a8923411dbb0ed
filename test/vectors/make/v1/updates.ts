/** PROTOCOL.md 8: key updates, and the limits of an epoch. */
import { utf8, hex, zeros } from '../bytes.ts';
import { entry, closeContent } from '../connection.ts';
import type { Story } from '../story.ts';
import { K, type Setup } from '../story.ts';
import { SIDES, tell, said, opening, open, greeted, from, goesOn, hello } from './told.ts';

export function updates(): void {
  for (const to of SIDES) {
    const at = (id: string, title: string): Story => from(open(to), id, title, 'update', ['8']);
    const update = (story: Story): Story => story.receive(story.peer(K.update));
    const one = at('one', 'an update, and messages on both sides of it');
    goesOn(goesOn(update(goesOn(one, 'epoch 0')), 'epoch 1'), 'epoch 1 still');
    const many = at('many', 'five epochs');
    for (let epoch = 1; epoch < 6; epoch += 1) goesOn(update(many), `epoch ${epoch}`);
    const first = at('first', 'an update as the first record');
    goesOn(update(first));
    const padded = at('padded', 'an update that is padded');
    goesOn(padded.receive(padded.peer(K.update, zeros(0), 63)));
    for (const [id, make] of [
      ['empty-text', (story: Story) => story.receive(story.peer(K.text, zeros(0)), { delivers: said('') })],
      ['batch', (story: Story) => story.receive(story.peer(K.batch, entry(1, utf8('a'))), { delivers: said('a') })],
    ] as const) {
      goesOn(update(make(update(at(`between-${id}`, `two updates with one ${id} between`)))));
    }
    const twice = update(at('twice', 'two updates with nothing between'));
    twice.refuses(twice.peer(K.update), 3772);
    const late = update(goesOn(update(at('twice-later', 'two updates with nothing between, in a later epoch'))));
    late.refuses(late.peer(K.update), 3772);
    const content = at('content', 'an update with content');
    content.refuses(content.peer(K.update, utf8('1')), 3772);
    const zero = at('content-zeros', 'an update whose content would be a batch');
    zero.refuses(zero.peer(K.update, entry(1, utf8('a'))), 3772);
    const closing = at(
      'after-close',
      "an update after one's own close is carried out: the answer is under the new key",
    );
    closing.step({ close: { code: 4000 } }, { sends: [closing.own(K.close, closeContent(4000))] });
    update(closing).receive(closing.peer(K.text, utf8('discarded')));
    closing
      .receive(closing.peer(K.answer, closeContent(4000)), { closes: 1000 })
      .step({ transportClosed: 1000 })
      .sees(4000, '', true);
    const double = at('twice-after-close', "two updates with nothing between, after one's own close");
    double.step({ close: { code: 4000 } }, { sends: [double.own(K.close, closeContent(4000))] });
    update(double).refuses(double.peer(K.update), 3772);
    const closed = update(at('then-close', 'a close right after an update'));
    closed.receive(closed.peer(K.close, closeContent(1001, 'x')), {
      sends: [closed.own(K.answer, closeContent(1001, 'x'))],
      closes: 1000,
    });
    closed.step({ transportClosed: 1000 }).sees(1001, 'x', true);
    const old = at('old-key', 'the old key after an update');
    const { key } = old.directions[old.from];
    update(old).refuses(old.forged(hello, { key }), 3771);
    const skipped = at('skips-epoch', 'the key of the epoch after the next');
    skipped.update(skipped.from);
    skipped.update(skipped.from);
    skipped.refuses(skipped.forged(hello), 3771);
    const other = at('other-direction', 'an update of one direction leaves the other alone');
    update(other).step({ send: { text: 'epoch 0' } }, { sends: [other.own(K.text, utf8('epoch 0'))] });

    // A sender's limits
    const limits = (
      id: string,
      title: string,
      rekey: Setup['rekey'],
      tellIt: (story: Story, say: (word: string, first?: boolean) => void) => void,
    ): void => {
      const story = from(
        opening(`limits-${id}`, to, (begun) => begun.hellos().finished(), { rekey: rekey! }),
        `limits-${id}`,
        title,
        'limit',
        ['8', '16'],
      );
      tellIt(story, (word, updatesFirst = false) => {
        const before = updatesFirst ? [story.own(K.update)] : [];
        story.step({ send: { text: word } }, { sends: [...before, story.own(K.text, utf8(word))] });
      });
    };
    limits('records-4', 'four records an epoch, Finished and the update among them', { records: 4 }, (_, say) => {
      for (const [word, first] of [
        ['a', false],
        ['b', false],
        ['c', true],
        ['d', false],
        ['e', false],
        ['f', true],
      ] as const)
        say(word, first);
    });
    limits('records-4-close', 'a close needs no update', { records: 4 }, (story, say) => {
      say('a');
      say('b');
      story.step({ close: { code: 4000 } }, { sends: [story.own(K.close, closeContent(4000))] });
    });
    limits('records-4-answer', 'a close answer needs no update', { records: 4 }, (story, say) => {
      say('a');
      say('b');
      story.receive(story.peer(K.close, closeContent(1001)), {
        sends: [story.own(K.answer, closeContent(1001))],
        closes: 1000,
      });
      story.step({ transportClosed: 1000 }).sees(1001, '', true);
    });
    limits('bytes-20', 'twenty bytes an epoch, of inner, Finished among them', { bytes: 20 }, (_, say) => {
      say('0123456789');
      say('abcde');
      say('x', true);
      say('y');
    });
    limits('hour', 'an epoch is an hour old', {}, (story, say) => {
      story.step({ advance: 3_599_999 });
      say('just before');
      story.step({ advance: 1 });
      say('an hour', true);
      say('at once');
      story.step({ advance: 3_600_000 });
      say('the next', true);
      story.step({ advance: 7_200_000 });
    });
    const received = opening('takes-5', to, (story) => story.hellos().finished(), { epochRecords: 5 });
    const five = from(received, 'takes-5', 'five records of an epoch, Finished and the update among them', 'limit', [
      '8',
      '16',
    ]);
    for (const word of ['1', '2', '3']) five.receive(five.peer(K.text, utf8(word)), { delivers: said(word) });
    update(five);
    for (const word of ['1', '2', '3', '4', '5']) five.receive(five.peer(K.text, utf8(word)), { delivers: said(word) });
    const six = tell(five.branch(`limit.${to}.takes-no-6`, 'the sixth, whatever it is', 'limit', ['8', '16']));
    six.refuses(six.peer(K.update), 3773);
    const forged = tell(
      five.branch(
        `limit.${to}.takes-no-6-forged`,
        'the sixth, which would not even open: the limit comes first',
        'limit',
        ['7.6', '8'],
      ),
    );
    forged.refuses({ binary: hex(zeros(40)) }, 3773);
    const short = tell(
      five.branch(`limit.${to}.takes-no-6-short`, 'the sixth, of 28 bytes: the length comes first', 'limit', [
        '7.6',
        '8',
      ]),
    );
    short.refuses({ binary: hex(zeros(28)) }, 3771);
  }
  const early = from(greeted('server'), 'early', "a server's own epoch before Finished(client)", 'update', ['8']);
  early.step({ send: { text: 'welcome' } }, { sends: [early.own(K.text, utf8('welcome'))] });
  goesOn(early.finished());
}
