/**
 * URL patterns that are matched in one pass. The standard's become regular expressions, and one with two variables side by side
 * tries each length of the one for each of the other: a long path would hold everybody up.
 */

/** Names, and what a class of characters repeats: in a segment of their own they match in one way alone. */
const IN_SEGMENT = /^(?:\\d|\\w)[+*]$/;
/** May match separators too. */
const ACROSS = /^\[[^\]\\]+\][+*]$/;
/** Matches no more than it says. */
const FIXED = /^[^()*+?{}]*$/;

/** @param separator of the segments: `/` in paths, `.` in host names */
export function isMatchedInOnePass(pattern: string, separator: '/' | '.'): boolean {
  let across = 0;
  let inSegment = 0;
  let canRepeat = false;
  let isNamed = false;
  for (let at = 0; at < pattern.length; at += 1) {
    const rest = pattern.slice(at);
    const [name] = /^:[\p{ID_Start}$_][\p{ID_Continue}$]*/u.exec(rest) ?? [];
    const character = rest[0] as string;
    const mayRepeat = canRepeat;
    const wasNamed = isNamed;
    canRepeat = false;
    isNamed = false;
    if (character === '\\') at += 1;
    else if (character === separator) inSegment = 0;
    else if (name !== undefined) {
      at += name.length - 1;
      inSegment += 1;
      canRepeat = true;
      isNamed = true;
    } else if (character === '(') {
      const end = endOfGroup(rest);
      const group = rest.slice(1, end);
      if (ACROSS.test(group)) across += 1;
      else if (!IN_SEGMENT.test(group) && !FIXED.test(group)) return false;
      // Behind a name it says what the name matches.
      if (!wasNamed) inSegment += 1;
      at += end;
      canRepeat = true;
    } else if (character === '*' || character === '+') {
      if (character === '+' && !mayRepeat) continue;
      across += 1;
      if (!mayRepeat) inSegment += 1;
    } else if (character === '}' && /^\}[*+]/.test(rest)) return false;
    if (inSegment > 1 || across > 1) return false;
  }
  return true;
}

/** Where the group that begins here ends; the length of the text, where it does not. */
function endOfGroup(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '(') depth += 1;
    else if (text[at] === ')') {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return text.length;
}
