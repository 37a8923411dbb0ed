/** PROTOCOL.md 9: closes, crossed ones, and transports that close. */
import { utf8, hex, unhex, cat, zeros, type Message } from '../bytes.ts';
import { entry, closeContent } from '../connection.ts';
import type { Story } from '../story.ts';
import { K } from '../story.ts';
import { SIDES, HINTS, open, greeted, from, fresh, begin, hello } from './told.ts';

export function closing(): void {
  for (const to of SIDES) {
    const at = (id: string, title: string): Story => from(open(to), id, title, 'close', ['9']);
    const closes = (story: Story, code = 4000, reason = 'bye'): Story =>
      story.step({ close: { code, reason } }, { sends: [story.own(K.close, closeContent(code, reason))] });
    const ends = (story: Story, code: number, reason: string): Story =>
      story.step({ transportClosed: 1000 }).sees(code, reason, true);
    const answered = closes(at('answered', 'closes, and gets the answer'));
    ends(answered.receive(answered.peer(K.answer, closeContent(4000, 'bye')), { closes: 1000 }), 4000, 'bye');
    const empty = at('empty', 'an empty close: 1005');
    empty.step({ close: {} }, { sends: [empty.own(K.close)] });
    ends(empty.receive(empty.peer(K.answer), { closes: 1000 }), 1005, '');
    const emptied = at('receives-empty', 'receives an empty close');
    ends(emptied.receive(emptied.peer(K.close), { sends: [emptied.own(K.answer)], closes: 1000 }), 1005, '');
    const padded = at('receives-padded', 'a close that is padded, whose code ends in a zero byte');
    ends(
      padded.receive(padded.peer(K.close, closeContent(4096), 30), {
        sends: [padded.own(K.answer, closeContent(4096))],
        closes: 1000,
      }),
      4096,
      '',
    );
    for (const [id, code, reason] of [
      ['3768', 3768, 'mine'],
      ['1014', 1014, ''],
      ['3000', 3000, 'x'.repeat(123)],
      ['4999', 4999, '\ufeffé\0'],
    ] as const) {
      const story = at(`receives-${id}`, `receives a close with ${code}`);
      ends(
        story.receive(story.peer(K.close, closeContent(code, reason)), {
          sends: [story.own(K.answer, closeContent(code, reason))],
          closes: 1000,
        }),
        code,
        reason,
      );
    }
    const badClose = (id: string, title: string, content: Uint8Array): void => {
      const story = at(`bad-${id}`, `a close ${title}`);
      story.refuses(story.peer(K.close, content), 3772);
      const answer = closes(at(`bad-answer-${id}`, `a close answer ${title}`));
      answer.refuses(answer.peer(K.answer, content), 3772);
    };
    badClose('one-byte', 'of one byte', unhex('03'));
    badClose('126', 'of 126 bytes', closeContent(4000, 'x'.repeat(124)));
    badClose('utf8', 'whose reason is not UTF-8', unhex('0fa0ff'));
    badClose('utf8-cut', 'whose reason is cut off within a character', unhex('0fa062c3'));
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535])
      badClose(`code-${code}`, `with code ${code}`, closeContent(code, 'x'));
    const crossed = closes(at('crossed', "the closes cross: nobody answers, each sees the other's"));
    ends(crossed.receive(crossed.peer(K.close, closeContent(1001, 'other')), { closes: 1000 }), 1001, 'other');
    const same = closes(at('crossed-equal', 'the closes cross and say the same: still no answer'));
    ends(same.receive(same.peer(K.close, closeContent(4000, 'bye')), { closes: 1000 }), 4000, 'bye');
    const discards = closes(at('discards', "messages and batches after one's own close are opened and discarded"));
    discards
      .receive(discards.peer(K.text, utf8('late')))
      .receive(discards.peer(K.batch, cat(entry(1, utf8('a')), entry(2, zeros(2)))));
    ends(discards.receive(discards.peer(K.answer, closeContent(4000, 'bye')), { closes: 1000 }), 4000, 'bye');
    const after = (id: string, title: string, make: (story: Story) => Message, code: number): void => {
      const story = closes(at(`sent-${id}`, `${title}, after one's own close`));
      story.refuses(make(story), code);
    };
    after(
      'batch-utf8',
      'a batch that is not UTF-8',
      (story) => story.peer(K.batch, cat(entry(1, utf8('a')), entry(1, unhex('ff')))),
      3772,
    );
    after('forged', 'a frame that does not open', (story) => story.forged(hello, { seq: 7 }), 3771);
    after('short', 'a frame of 28 bytes', () => ({ binary: hex(zeros(28)) }), 3771);
    after('finished', 'a second Finished', (story) => story.peer(K.finished, utf8('{}')), 3772);
    after('no-kind', 'no kind byte', (story) => story.peerInner(['000000']), 3772);
    after('bad-close', 'a bad close', (story) => story.peer(K.close, closeContent(1005)), 3772);
    after(
      'other-code',
      'an answer with another code',
      (story) => story.peer(K.answer, closeContent(4001, 'bye')),
      3772,
    );
    after(
      'longer-reason',
      'an answer with a longer reason',
      (story) => story.peer(K.answer, closeContent(4000, 'bye!')),
      3772,
    );
    after('shorter-reason', 'an answer without the reason', (story) => story.peer(K.answer, closeContent(4000)), 3772);
    after('empty-answer', 'an empty answer', (story) => story.peer(K.answer), 3772);
    const mute = closes(at('sent-send', 'nothing is sent after a close, and no second one'));
    mute.step({ send: { text: 'more' } }).step({ close: { code: 4001 } });
    const unasked = at('unasked-answer', 'an answer to no close');
    unasked.refuses(unasked.peer(K.answer, closeContent(1000)), 3772);
    const finished = at('received', 'after a close has been received everything is ignored, and nothing is sent');
    finished.receive(finished.peer(K.close, closeContent(1000)), {
      sends: [finished.own(K.answer, closeContent(1000))],
      closes: 1000,
    });
    finished
      .receive(finished.peer(K.text, utf8('late')))
      .receive({ text: 'x' })
      .receive({ binary: '00' })
      .step({ send: { text: 'late' } })
      .step({ close: { code: 4000 } });
    ends(finished, 1000, '');
    for (const code of [1006, 1011, 3771]) {
      const story = at(`finishing-${code}`, `the closes are done and the transport says ${code}: clean all the same`);
      story.receive(story.peer(K.close, closeContent(4001, 'done')), {
        sends: [story.own(K.answer, closeContent(4001, 'done'))],
        closes: 1000,
      });
      story.step({ transportClosed: code }).sees(4001, 'done', true);
    }
    const timer = from(open(to), 'answer-timeout', 'no answer within 30 s', 'timer', ['9']);
    closes(timer)
      .step({ advance: 29_999 })
      .receive(timer.peer(K.text, utf8('late')));
    timer.step({ advance: 1 }, { closes: 1000 }).receive(timer.peer(K.answer, closeContent(4000, 'bye')));
    timer.step({ transportClosed: 1000 }).sees(1006, '', false);

    // Transport closes
    for (const code of [1000, 1002, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1015, 3000, 3767, 3774, 4000, ...HINTS]) {
      const seen = HINTS.includes(code) ? code : 1006;
      const story = from(
        open(to),
        `open-${code}`,
        `the transport closes with ${code}, without a sealed close`,
        'transport close',
        ['9'],
      );
      story.step({ transportClosed: code }).sees(seen, '', false);
    }
    for (const code of [1000, 1001, 3771]) {
      const seen = code === 1000 ? 1006 : code;
      begin(fresh(to, `begun-${code}`, `the transport closes with ${code} before a hello`, 'transport close', ['9']))
        .step({ transportClosed: code })
        .sees(seen, '', false);
      from(greeted(to), `greeted-${code}`, `the transport closes with ${code} before Finished`, 'transport close', [
        '9',
      ])
        .step({ transportClosed: code })
        .sees(seen, '', false);
      const sent = closes(
        from(open(to), `close-sent-${code}`, `the transport closes with ${code} before the answer`, 'transport close', [
          '9',
        ]),
        4000,
        'bye',
      );
      sent.step({ transportClosed: code }).sees(seen, '', false);
      const failed = from(
        open(to),
        `failed-${code}`,
        `the transport closes with ${code} after a failure: the failure's code stays`,
        'transport close',
        ['9', '10'],
      );
      failed.receive({ text: 'x' }, { fails: 3772 }).step({ transportClosed: code }).sees(3772, '', false);
    }
  }
}
