/** Words for people: what a peer says cannot move the cursor, and colours are there only where they are wanted. */
import type { Writable } from 'node:stream';
import { styleText } from 'node:util';

/** Control characters, line separators, lone surrogates, and what changes the direction or hides. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/** Joiners of emoji and scripts, the tab, and the newline, which its user places. */
const HARMLESS = '\u200c\u200d\t\n';

/**
 * Text from elsewhere, for a terminal: what could act on it is written as `\u001b`. JSON stays the same JSON. Newlines
 * stay; whoever prints lines indents what follows them, so that no line of a message looks like one of ours.
 */
export function visible(text: string): string {
  return text.replace(UNSAFE, (character) => {
    if (HARMLESS.includes(character)) return character;
    let escaped = '';
    for (let i = 0; i < character.length; i++) escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
    return escaped;
  });
}

/** As `visible`, on one line. */
export function visibleLine(text: string): string {
  return visible(text).replaceAll('\n', '\\n');
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
export type Paint = (style: Style, text: string) => string;

/** Colours for one stream: none where it is no terminal, or NO_COLOR, NODE_DISABLE_COLORS or TERM=dumb say so. */
export function paintFor(stream: Writable): Paint {
  const { isTTY, hasColors } = stream as Writable & { isTTY?: boolean; hasColors?: () => boolean };
  if (isTTY !== true || hasColors?.call(stream) !== true) return (_style, text) => text;
  return (style, text) => styleText(style, text, { validateStream: false });
}
