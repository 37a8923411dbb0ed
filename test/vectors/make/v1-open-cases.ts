/** The cases of v1.json, second half: records, key updates, closing, failures, fast open. */
import {
  base64url,
  cat,
  type Delivered,
  hex,
  type Message,
  type Piece,
  u32be,
  u64be,
  unhex,
  utf8,
  zeros,
} from './bytes.ts';
import { closeContent, entry, inner, maxInner, padme } from './connection.ts';
import { withCoefficient } from './coefficients.ts';
import { agreement } from './kems.ts';
import type { Story } from './story.ts';
import { clientHelloOf, K, serverHelloOf, type Setup } from './story.ts';
import {
  begin,
  fresh,
  from,
  goesOn,
  greeted,
  handshakeCases,
  HINTS,
  open,
  opening,
  said,
  SIDES,
  tell,
} from './v1-cases.ts';

const hello = inner(utf8('hello'), K.text);

// ---- 7: records ---------------------------------------------------------------------------------------------

function records(): void {
  for (const to of SIDES) {
    const at = (id: string, title: string, group: string, sections: string[]): Story =>
      from(open(to), id, title, group, sections);
    const opens = (
      id: string,
      title: string,
      message: (story: Story) => Message,
      delivers: Delivered[],
      group = 'framing',
    ): void => {
      const story = at(id, title, group, ['7']);
      goesOn(story.receive(message(story), { delivers }));
    };
    opens('zeros', 'binary of zeros alone', (story) => story.peer(K.binary, zeros(40)), [{ binary: '00'.repeat(40) }]);
    opens('zeros-padded', 'binary of zeros alone, padded', (story) => story.peer(K.binary, zeros(7), 200), [
      { binary: '00'.repeat(7) },
    ]);
    opens('kinds-within', 'binary of kind bytes', (story) => story.peer(K.binary, unhex('0102030405060708')), [
      { binary: '0102030405060708' },
    ]);
    opens('padding-1', 'one byte of padding', (story) => story.peer(K.text, utf8('a'), 1), said('a'), 'padding');
    opens(
      'padding-65536',
      '65,536 bytes of padding',
      (story) => story.peerInner(['61', '01', { repeat: '00', times: 65_536 }], K.text),
      said('a'),
      'padding',
    );
    opens('batch-of-one', 'a batch of one', (story) => story.peer(K.batch, entry(1, utf8('a'))), said('a'), 'batch');
    opens(
      'batch-of-empties',
      'a batch of three empty messages',
      (story) => story.peer(K.batch, cat(entry(1, zeros(0)), entry(2, zeros(0)), entry(1, zeros(0)))),
      [{ text: '' }, { binary: '' }, { text: '' }],
      'batch',
    );
    opens(
      'batch-padded',
      'a batch whose last message ends in zeros, padded',
      (story) => story.peer(K.batch, cat(entry(1, utf8('a')), entry(2, zeros(4))), 9),
      [{ text: 'a' }, { binary: '00000000' }],
      'batch',
    );
    opens(
      'bom',
      'U+FEFF in front stays',
      (story) => story.peer(K.text, unhex('efbbbf61')),
      [{ text: '\ufeffa' }],
      'utf8',
    );
    opens('nul', 'NUL in front stays', (story) => story.peer(K.text, unhex('0061')), [{ text: '\0a' }], 'utf8');
    opens(
      'highest',
      'U+10FFFF, U+D7FF, U+E000, U+FFFF',
      (story) => story.peer(K.text, unhex('f48fbfbfed9fbfee8080efbfbf')),
      [{ text: '\u{10ffff}\ud7ff\ue000\uffff' }],
      'utf8',
    );

    const bad = (
      id: string,
      title: string,
      make: (story: Story) => Message,
      code: number,
      group: string,
      sections = ['7', '17'],
    ): void => {
      const story = at(id, title, group, sections);
      story.refuses(make(story), code);
    };
    for (const [id, bytes] of [
      ['overlong-3', 'e08080'],
      ['overlong-4', 'f0808080'],
      ['f5', 'f5808080'],
      ['fe', 'fe'],
      ['cut-4', 'f09f91'],
      ['continuation-missing', 'c361'],
      ['low-surrogate', 'edb080'],
      ['last-surrogate', 'edbfbf'],
    ] as const) {
      bad(`utf8-${id}`, `text that is not UTF-8: ${bytes}`, (story) => story.peer(K.text, unhex(bytes)), 3772, 'utf8');
      bad(
        `batch-utf8-${id}`,
        `in a batch: ${bytes}`,
        (story) => story.peer(K.batch, cat(entry(1, utf8('first')), entry(1, unhex(bytes)))),
        3772,
        'utf8',
      );
    }
    for (const kind of [14, 31, 127, 128, 200, 224, 254])
      bad(`kind-${kind}`, `kind ${kind}`, (story) => story.peer(kind, utf8('x')), 3772, 'framing', ['7.2', '18']);
    bad('aad-none', 'no additional data', (story) => story.forged(hello, { aad: zeros(0) }), 3771, 'sequence');
    bad('aad-32-bits', 'seq in 32 bits', (story) => story.forged(hello, { aad: u32be(1) }), 3771, 'sequence');
    bad('aad-text', 'seq in digits', (story) => story.forged(hello, { aad: utf8('1') }), 3771, 'sequence');
    bad(
      'aad-with-nonce',
      'nonce and seq',
      (story) => story.forged(hello, { aad: cat(zeros(12), u64be(1)) }),
      3771,
      'sequence',
    );
    bad('seq-2', 'the one before was dropped', (story) => story.forged(hello, { seq: 2 }), 3771, 'reorder');
    bad('seq-0', 'seq 0 again', (story) => story.forged(hello, { seq: 0 }), 3771, 'replay');
    bad('own-seq', "the receiver's own key", (story) => story.forged(hello, { side: story.to }), 3771, 'reflection');
    {
      const story = at('replay-late', 'a record replayed after two others', 'replay', ['7.1']);
      const first = story.peer(K.text, utf8('one'));
      story.receive(first, { delivers: said('one') });
      goesOn(story);
      story.refuses(first, 3771);
      const drop = at('drop', 'a record is missing', 'reorder', ['7.1']);
      drop.peer(K.text, utf8('lost'));
      drop.refuses(drop.peer(K.text, utf8('two')), 3771);
      const swapped = at('swapped', 'two records in the other order', 'reorder', ['7.1']);
      const one = swapped.peer(K.text, utf8('one'));
      void one;
      swapped.refuses(swapped.peer(K.text, utf8('two')), 3771);
    }
    for (const [id, seqFrom] of [
      ['above-2-32', 2 ** 32 - 2],
      ['above-2-53-less', 2 ** 40 + 1],
    ] as const) {
      const base = opening(`seq-${id}`, to, (story) => story.hellos().finished(), { seqFrom });
      const story = from(base, id, `seq goes on from ${seqFrom}`, 'sequence', ['7.1']);
      for (let i = 0; i < 3; i += 1) goesOn(story, `record ${i}`);
      story.receive(story.peer(K.update));
      goesOn(story, 'after an update');
      const wraps = from(base, `${id}-wraps`, `seq wrapped to 32 bits`, 'sequence', ['7.1']);
      goesOn(wraps);
      goesOn(wraps);
      wraps.refuses(wraps.forged(hello, { aad: u64be(wraps.directions[wraps.from].seq % 2 ** 32) }), 3771);
    }

    // 7.4, 7.6: batches and the order of checks
    const batch = (id: string, title: string, content: Uint8Array, code = 3772): void =>
      bad(`batch-${id}`, title, (story) => story.peer(K.batch, content), code, 'batch', ['7.4', '7.6']);
    batch('empty', 'empty', zeros(0));
    batch('header-cut', 'a header of four bytes', unhex('01000000'));
    const entries = (last: number): Piece[] => {
      const pieces: Piece[] = [];
      for (const byte of ['a1', 'a2', 'a3']) pieces.push(`02${hex(u32be(65_536))}`, { repeat: byte, times: 65_536 });
      return [...pieces, `02${hex(u32be(last))}`, { repeat: 'a4', times: last }, '03'];
    };
    opens(
      'batch-262144',
      'a batch of 262,144 bytes',
      (story) => story.peerInner(entries(65_516), K.batch),
      [
        ...['a1', 'a2', 'a3'].map((repeat) => ({ binary: [{ repeat, times: 65_536 }] })),
        { binary: [{ repeat: 'a4', times: 65_516 }] },
      ],
      'batch',
    );
    bad(
      'batch-262145',
      'a batch of 262,145 bytes',
      (story) => story.peerInner(entries(65_517), K.batch),
      3772,
      'batch',
      ['7.4', '16'],
    );
    batch('length-2-31', 'a length of 2^31', unhex('01800000006161'));
    batch('length-little-endian', 'a length in little-endian', cat(unhex('0103000000'), utf8('abc')));
    batch(
      'length-one-more',
      'a length that is one more than there is',
      cat(entry(1, utf8('ok')), unhex('010000000461626300').slice(0, 8)),
    );
    batch('kind-6', 'an entry of kind 6', entry(6, utf8('{}')));
    batch('kind-5', 'an entry of kind 5', cat(entry(1, utf8('a')), entry(5, zeros(0))));
    batch('kind-12', 'an entry of kind 12', cat(entry(1, utf8('a')), entry(12, zeros(0))));
    batch('four-bytes-left', 'four bytes after the last entry', cat(entry(1, utf8('a')), unhex('01000000')));
    batch('zeros-after', 'zeros between the last entry and the kind', cat(entry(1, utf8('a')), zeros(3)));
    const small = opening('max-10', to, (story) => story.hellos().finished(), { maxPayload: 10 });
    const limited = (
      id: string,
      title: string,
      make: (story: Story) => Message,
      code: number | undefined,
      delivers: Delivered[] = [],
    ): void => {
      const story = from(small, id, title, 'limit', ['7.2', '7.6', '16']);
      if (code === undefined) goesOn(story.receive(make(story), { delivers }), 'ok');
      else story.refuses(make(story), code);
    };
    limited(
      'max-text',
      'maxPayload 10: text of 10 bytes, five characters',
      (story) => story.peer(K.text, utf8('äöüßé')),
      undefined,
      said('äöüßé'),
    );
    limited('max-binary', 'maxPayload 10: binary of 10 bytes', (story) => story.peer(K.binary, zeros(10)), undefined, [
      { binary: '00'.repeat(10) },
    ]);
    limited(
      'over-text',
      'maxPayload 10: text of 11 bytes, six characters',
      (story) => story.peer(K.text, utf8('aäöüßé')),
      3773,
    );
    limited('over-binary', 'maxPayload 10: binary of 11 bytes', (story) => story.peer(K.binary, zeros(11)), 3773);
    limited(
      'max-batch',
      'maxPayload 10: a batch of two messages of 10',
      (story) => story.peer(K.batch, cat(entry(1, utf8('0123456789')), entry(1, utf8('9876543210')))),
      undefined,
      [{ text: '0123456789' }, { text: '9876543210' }],
    );
    limited(
      'over-batch',
      'maxPayload 10: a batch whose second message has 11',
      (story) => story.peer(K.batch, cat(entry(1, utf8('a')), entry(1, utf8('01234567890')))),
      3773,
    );
    limited(
      'over-and-bad',
      'too long and not UTF-8: the length comes first',
      (story) => story.peer(K.text, zeros(11).fill(0xff)),
      3773,
    );
    limited(
      'batch-over-then-bad',
      'first entry too long, second not UTF-8: in order',
      (story) => story.peer(K.batch, cat(entry(1, zeros(11)), entry(1, unhex('ff')))),
      3773,
    );
    limited(
      'batch-bad-then-over',
      'first entry not UTF-8, second too long: in order',
      (story) => story.peer(K.batch, cat(entry(1, unhex('ff')), entry(1, zeros(11)))),
      3772,
    );
    limited(
      'batch-over-and-cut',
      'an entry too long, and the batch cut off: the batch comes first',
      (story) => story.peer(K.batch, cat(entry(1, zeros(11)), unhex('01'))),
      3772,
    );
    const limitedClose = from(small, 'over-after-close', "a message that is too long, after one's own close", 'limit', [
      '7.6',
      '9',
    ]);
    limitedClose.step({ close: { code: 4000 } }, { sends: [limitedClose.own(K.close, closeContent(4000))] });
    limitedClose.refuses(limitedClose.peer(K.binary, zeros(11)), 3773);
    const full = Math.floor((300_000 * 9) / 8) + 65_536;
    const large = opening('max-300000', to, (story) => story.hellos().finished(), { maxPayload: 300_000 });
    const most = from(large, 'inner-most-of-300000', 'maxPayload 300,000: the greatest inner', 'limit', ['7.5']);
    goesOn(
      most.receive(most.peerInner(['6f6b', '01', { repeat: '00', times: full - 3 }], K.text), { delivers: said('ok') }),
    );
    const over = from(large, 'inner-over-of-300000', 'maxPayload 300,000: a byte more', 'limit', ['7.5']);
    over.refuses(over.peerInner(['6f6b', '01', { repeat: '00', times: full - 2 }], K.text), 3773);
    bad(
      'inner-over',
      'maxPayload 65,536: a byte over the greatest inner',
      (story) => story.peerInner(['6f6b', '01', { repeat: '00', times: maxInner - 2 }], K.text),
      3773,
      'limit',
      ['7.5'],
    );
    const utf: Piece[] = [{ repeat: 'c3a4', times: 32_768 }];
    opens(
      'max-65536',
      'text of 65,536 bytes, 32,768 characters',
      (story) => story.peerInner([...utf, '01'], K.text),
      [{ text: [{ repeat: 'ä', times: 32_768 }] }],
      'limit',
    );
    bad(
      'over-65536',
      'text of 65,537 bytes, 32,769 characters',
      (story) => story.peerInner([...utf, '61', '01'], K.text),
      3773,
      'limit',
    );

    // 7.3: padding by the end under test
    for (const [name, padding, size] of [
      ['64', 64, (n: number) => Math.ceil(n / 64) * 64],
      ['100', 100, (n: number) => Math.ceil(n / 100) * 100],
      ['padme', 'padme', padme],
    ] as const) {
      const base = opening(`padding-${name}`, to, (story) => story.hellos().finished(), { padding });
      const story = from(base, `pads-${name}`, `an end that pads to ${name}: messages, and its close`, 'padding', [
        '7.3',
      ]);
      for (const length of [0, 8, 16, 63, 99, 200, 1000]) {
        const content = zeros(length).fill(0x61);
        story.step(
          { send: { text: 'a'.repeat(length) } },
          { sends: [story.own(K.text, content, size(length + 1) - length - 1)] },
        );
      }
      const content = closeContent(4000, 'bye');
      story.step(
        { close: { code: 4000, reason: 'bye' } },
        { sends: [story.own(K.close, content, size(content.length + 1) - content.length - 1)] },
      );
    }
  }
}

// ---- 8: key updates -----------------------------------------------------------------------------------------

function updates(): void {
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

// ---- 9: closing ---------------------------------------------------------------------------------------------

function closing(): void {
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

// ---- 10: after a failure ------------------------------------------------------------------------------------

function failures(): void {
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

// ---- 13: fast open ------------------------------------------------------------------------------------------

function fastOpen(): void {
  const text = clientHelloOf();
  const token = (value: string): string => `pqws1.${base64url(utf8(value))}`;
  const setup: Setup = { subprotocols: ['pqws1', token(text)] };
  const answered = opening(
    'fast-open',
    'server',
    (story) => {
      story
        .agree(text, serverHelloOf())
        .step({ start: true }, { sends: [{ text: story.serverHello }, story.own(K.finished, utf8('{}'))] });
    },
    setup,
  );
  const at = (id: string, title: string): Story => from(answered, id, title, 'fast open', ['13', '3.2']);
  goesOn(at('repeated', 'the same hello, then Finished(client)').receive({ text }).finished());
  const speaks = at('speaks', 'the server sends before the hello is repeated');
  speaks.step({ send: { text: 'welcome' } }, { sends: [speaks.own(K.text, utf8('welcome'))] });
  goesOn(speaks.receive({ text }).finished());
  const closes = at('closes', 'it closes before the hello is repeated');
  closes.step({ close: { code: 4000 } }, { sends: [closes.own(K.close, closeContent(4000))] }).receive({ text });
  closes
    .receive(closes.peer(K.finished, utf8('{}')), { accepts: true })
    .receive(closes.peer(K.answer, closeContent(4000)), { closes: 1000 });
  closes.step({ transportClosed: 1000 }).sees(4000, '', true);
  const refuses = (id: string, title: string, message: Message): void => {
    at(id, title).refuses(message, 3768);
  };
  refuses('other-hello', 'another good hello', { text: clientHelloOf({ extra: '"a":1' }) });
  refuses('white-space', 'the hello with a space after', { text: `${text} ` });
  refuses('prefix', 'the hello cut off', { text: text.slice(0, -1) });
  refuses('case', 'the hello with a letter in another case', { text: text.replace('"pq', '"Pq') });
  refuses('binary', 'the hello as a binary message', { binary: hex(utf8(text)) });
  refuses('empty', 'an empty text', { text: '' });
  const frame = at('finished-first', 'Finished(client) without the hello');
  frame.refuses(frame.peer(K.finished, utf8('{}')), 3768);
  const twice = at('twice', 'the hello twice').receive({ text });
  twice.refuses({ text }, 3768);
  const slow = at('timeout', 'the hello is not repeated in time');
  slow.step({ advance: 10_000 }, { fails: 3769 }).sees(3769, '', false);
  const unrepeated = at('closing-other', 'it has closed, and another hello comes');
  unrepeated.step({ close: { code: 4000 } }, { sends: [unrepeated.own(K.close, closeContent(4000))] });
  unrepeated.refuses({ text: `${text}\n` }, 3768);

  const badKey = text.replace(
    /"ml_kem_768_encapsulation_key":"[^"]*"/,
    `"ml_kem_768_encapsulation_key":"${Buffer.from(withCoefficient(agreement('ml-kem-768').publicKey, 767, 3329)).toString('base64')}"`,
  );
  const ignored: [string, string, string[]][] = [
    ['none', 'pqws1 alone', ['pqws1']],
    ['pqws1-twice', 'pqws1 twice', ['pqws1', 'pqws1', token(text)]],
    ['token-twice', 'the token twice', ['pqws1', token(text), token(text)]],
    ['no-pqws1', 'no pqws1 beside it', ['chat', token(text)]],
    ['capitals', 'in capitals', ['PQWS1', token(text).replace('pqws1', 'PQWS1')]],
    ['padded', 'padded base64url', ['pqws1', `${token(text)}=`]],
    ['standard-alphabet', 'the standard alphabet', ['pqws1', `${token(text).slice(0, -4)}+${token(text).slice(-3)}`]],
    ['cut', 'cut off', ['pqws1', token(text).slice(0, -2)]],
    ['empty', 'empty', ['pqws1', 'pqws1.']],
    ['bad-key', 'a hello whose key fails the modulus check', ['pqws1', token(badKey)]],
    ['version-2', 'a hello of another version', ['pqws1', token(clientHelloOf({ version: '2' }))]],
    ['bom', 'a byte-order mark before the hello', ['pqws1', token(`\ufeff${text}`)]],
    ['too-long', 'a hello of more than 16,384 bytes', ['pqws1', token(`${text}${' '.repeat(16_384)}`)]],
  ];
  for (const [id, title, subprotocols] of ignored) {
    const story = fresh('server', `ignores-${id}`, `a token that counts for nothing: ${title}`, 'fast open', ['13'], {
      subprotocols,
    });
    story.agree(text, serverHelloOf()).step({ start: true });
    story.receive({ text }, { sends: [{ text: story.serverHello }, story.own(K.finished, utf8('{}'))] });
    goesOn(story.finished());
  }
}

export function v1Cases(): object[] {
  const stories = handshakeCases();
  records();
  updates();
  closing();
  failures();
  fastOpen();
  return stories.map((story) => story.toCase());
}
