/** Strings of a record made harmless to look at: nothing invisible is left in them. The same as `report/clean.py`. */

const TAB = 4;
// not printable in Python's sense: control, format, surrogate, private, unassigned, separators
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}\p{Zs}]/gu;
// white space in Python's sense, which leaves out the byte order mark
const SPACES = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;
const JOINERS = '\u200c\u200d';
const ESCAPES: { [character: string]: string } = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Returns text as one line: white space as single blanks, whatever else is invisible as its escape. */
export function line(text: unknown): string {
  return String(text)
    .replace(SPACES, ' ')
    .replace(/^ | $/g, '')
    .replace(INVISIBLE, visible);
}

/** Returns text with its lines and indentation kept (tabs as blanks), whatever is invisible as its escape. */
export function block(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .split('\n')
    .map(one => expanded(one).replace(INVISIBLE, visible))
    .join('\n');
}

/** Returns an address that is safe to link to (http or https with a host, nothing invisible), else null. */
export function webAddress(text: string): string | null {
  if (!/^https?:\/\/[\x21-\x7e]+$/.test(text) || /[ "<>\\^`{|}]/.test(text)) {
    return null;
  }
  try {
    return new URL(text).hostname ? text : null;
  } catch {
    return null;
  }
}

/** Returns text cut to a number of characters, with an ellipsis where something is missing. */
export function cut(text: string, length: number): string {
  if (text.length <= length) {
    return text;
  }
  // never half of a surrogate pair
  return Array.from(text.slice(0, length + 1)).slice(0, -1).join('').slice(0, length) + '…';
}

function expanded(text: string): string {
  if (!text.includes('\t')) {
    return text;
  }
  let out = '';
  for (const part of text.split(/(\t)/)) {
    out += part === '\t' ? ' '.repeat(TAB - (out.length % TAB)) : part;
  }
  return out;
}

function visible(character: string): string {
  if (character === ' ' || JOINERS.includes(character)) {
    return character;
  }
  if (/\p{Zs}/u.test(character)) {
    return ' ';
  }
  const code = character.codePointAt(0) ?? 0;
  if (ESCAPES[character]) {
    return ESCAPES[character];
  }
  const hex = code.toString(16);
  if (code < 0x100) {
    return '\\x' + hex.padStart(2, '0');
  }
  return code < 0x10000 ? '\\u' + hex.padStart(4, '0') : '\\U' + hex.padStart(8, '0');
}
