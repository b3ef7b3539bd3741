// Where in the notebook's cells the gotchas of a record stand.
//
// A record tells the user's line of each line of its source, but not whose cell that line is in: a function and its
// helpers may live in several. So a gotcha has its place where the cell's text at that line is still the text that was
// compared: the whole piece of source around it, line by line. Where that was edited, there is no place any more.

import type { Gotcha, JitmagicRecord } from '../view/record';

/** A gotcha with the piece of source that it stands in. */
export interface Placed {
  gotcha: Gotcha;
  /** Line (from 1) of the piece's first line in the user's cell. */
  first: number;
  /** The piece's lines without white space at their ends. */
  piece: string[];
}

/** Finds the pieces of source in which the gotchas of a record stand; those without a line have none. */
export function placed(record: JitmagicRecord): Placed[] {
  if (record.workload.origin !== 'cell') {
    return [];
  }
  const all = pieces(record);
  const found: Placed[] = [];
  for (const gotcha of record.gotchas) {
    const { line } = gotcha;
    if (line === null) {
      continue;
    }
    for (const { first, lines } of all) {
      if (first <= line && line < first + lines.length && lines[line - first].trim()) {
        found.push({ gotcha, first, piece: lines });
      }
    }
  }
  return found;
}

function pieces(record: JitmagicRecord): { first: number; lines: string[] }[] {
  const text = record.workload.source.split('\n');
  const found: { first: number; lines: string[] }[] = [];
  let last: number | null = null;
  record.workload.lines.forEach((line, index) => {
    if (line !== null && index < text.length) {
      if (last === null || line !== last + 1) {
        found.push({ first: line, lines: [] });
      }
      found[found.length - 1].lines.push(text[index].trimEnd());
    }
    last = line;
  });
  return found;
}

/** Says whether a piece still stands in a cell where it was, whatever its indentation there. */
export function standsIn({ first, piece }: Placed, cell: string[]): boolean {
  return piece.every((line, index) => (cell[first - 1 + index] ?? '').trim() === line.trim());
}

/** One mark: a range within a cell's text, and the gotchas there. */
export interface Mark {
  from: number;
  to: number;
  gotcha: Gotcha;
}

/** Finds the marks of one cell; the same gotcha at the same place is marked once. */
export function marksIn(source: string, all: Iterable<Placed>): Mark[] {
  const lines = source.split('\n');
  const starts = [0];
  for (const line of lines) {
    starts.push(starts[starts.length - 1] + line.length + 1);
  }
  const found = new Map<string, Mark>();
  for (const each of all) {
    if (standsIn(each, lines)) {
      const mark = range(each, lines, starts);
      found.set(JSON.stringify([each.gotcha.code, each.gotcha.message, mark.from, mark.to]), mark);
    }
  }
  return [...found.values()].sort((a, b) => a.from - b.from || a.to - b.to);
}

function range({ gotcha, first, piece }: Placed, lines: string[], starts: number[]): Mark {
  const line = gotcha.line! - 1;
  const text = lines[line];
  const indent = text.length - text.trimStart().length;
  const whole = { from: starts[line] + indent, to: starts[line] + text.trimEnd().length, gotcha };
  // a function that was defined deeper in the cell lost that much indentation in the record
  const own = piece[gotcha.line! - first];
  const shift = indent - (own.length - own.trimStart().length);
  if (gotcha.column === null || gotcha.end_column === null) {
    return whole;
  }
  const endLine = (gotcha.end_line ?? gotcha.line!) - 1;
  if (endLine < line || endLine >= lines.length) {
    return whole;
  }
  const from = starts[line] + offset(text, gotcha.column + shift);
  const to = starts[endLine] + offset(lines[endLine], gotcha.end_column + shift);
  // where the columns do not fit the text, the line itself is right
  return whole.from <= from && from < to && to <= starts[endLine] + lines[endLine].length
    ? { from, to, gotcha }
    : whole;
}

/** Turns a column in characters, as Python counts them, into one in UTF-16 units, as the editor does. */
function offset(text: string, column: number): number {
  let units = 0;
  let left = column;
  for (const character of text) {
    if (left <= 0) {
      break;
    }
    units += character.length;
    left -= 1;
  }
  return left > 0 ? units + left : units;
}
