/** Colours Python source, line by line. What it does not know stays plain: it never changes or drops a character. */

export interface Piece {
  text: string;
  /** Class of the colour, "" for plain. */
  kind: string;
}

const LONGEST = 100_000;
const KEYWORDS = new Set(
  (
    'False None True and as assert async await break case class continue def del elif else except finally for from ' +
    'global if import in is lambda match nonlocal not or pass raise return try while with yield'
  ).split(' ')
);
const TOKEN = new RegExp(
  [
    '(?<comment>#[^\\n]*)',
    '(?<string>[rRbBfFuU]{0,2}(?:"""(?:[^\\\\]|\\\\[^])*?(?:"""|$(?![^]))|\'\'\'(?:[^\\\\]|\\\\[^])*?(?:\'\'\'|$(?![^]))' +
      '|"(?:[^"\\\\\\n]|\\\\[^])*"?|\'(?:[^\'\\\\\\n]|\\\\[^])*\'?))',
    '(?<decorator>@[\\p{L}_][\\p{L}\\p{N}_.]*)',
    '(?<number>\\b(?:0[xXoObB][\\da-fA-F_]+|\\d[\\d_]*\\.?[\\d_]*(?:[eE][+-]?\\d+)?[jJ]?|\\.\\d+))',
    '(?<word>[\\p{L}_][\\p{L}\\p{N}_]*)'
  ].join('|'),
  'gu'
);

/** Splits source into lines of pieces; the pieces of all lines, joined by newlines, are the source. */
export function highlighted(source: string): Piece[][] {
  const lines: Piece[][] = [[]];
  const add = (text: string, kind: string): void => {
    text.split('\n').forEach((part, index) => {
      if (index) {
        lines.push([]);
      }
      if (part) {
        lines[lines.length - 1].push({ text: part, kind });
      }
    });
  };
  if (source.length > LONGEST) {
    add(source, '');
    return lines;
  }
  let at = 0;
  for (const match of source.matchAll(TOKEN)) {
    add(source.slice(at, match.index), '');
    add(match[0], kindOf(match));
    at = match.index + match[0].length;
  }
  add(source.slice(at), '');
  return lines;
}

function kindOf(match: RegExpMatchArray): string {
  const { comment, string, decorator, number, word } = match.groups ?? {};
  if (comment) {
    return 'jm-comment';
  }
  if (string) {
    return 'jm-string';
  }
  if (decorator) {
    return 'jm-decorator';
  }
  if (number) {
    return 'jm-number';
  }
  return word && KEYWORDS.has(word) ? 'jm-keyword' : '';
}
