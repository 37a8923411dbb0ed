/** What may come behind a 101: frames of RFC 6455 with their borders crossed, and mutations of those. */
import type { Choices } from './random.ts';

export function frames(choices: Choices, isMasked: boolean): string {
  const text = Array.from({ length: 1 + choices.below(5) }, () => frame(choices, isMasked)).join('');
  return choices.chance(3) ? choices.mutate(text) : text;
}

function frame(choices: Choices, isMasked: boolean): string {
  const first =
    (choices.chance(4) ? choices.below(8) << 4 : 0x80) | choices.of([0, 1, 2, 2, 8, 8, 9, 10, choices.below(16)]);
  const payload = choices.of([
    '',
    'hello',
    '\x03\xe8',
    '\x03\xf8reason',
    '\x03\xe7',
    '\x0b\xb8',
    '\x13\x88',
    '\x03\xe8\xff\xfe',
    '\xff',
    'x'.repeat(126),
    '\x00',
  ]);
  const length = choices.chance(6) ? choices.of([0, 125, 126, 127]) : payload.length > 125 ? 126 : payload.length;
  const extended =
    length === 126
      ? '\x00\x7e'
      : length === 127
        ? choices.of([
            '\x00\x00\x00\x00\x00\x00\x00\x05',
            '\x80\x00\x00\x00\x00\x00\x00\x00',
            '\x00\x00\x00\x7f\xff\xff\xff\xff',
          ])
        : '';
  const mask = choices.chance(8) ? !isMasked : isMasked;
  return String.fromCharCode(first, length | (mask ? 0x80 : 0)) + extended + (mask ? '\0\0\0\0' : '') + payload;
}
