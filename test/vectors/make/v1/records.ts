/** PROTOCOL.md 7: frames, batches, limits, padding. */
import { utf8, hex, unhex, cat, zeros, u32be, u64be, type Piece, type Message, type Delivered } from '../bytes.ts';
import { maxInner, entry, closeContent, padme } from '../connection.ts';
import type { Story } from '../story.ts';
import { K } from '../story.ts';
import { SIDES, said, opening, open, from, goesOn, hello } from './told.ts';

export function records(): void {
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
