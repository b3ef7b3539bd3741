import assert from 'node:assert/strict';
import { test } from 'node:test';
import { marksIn, placed } from '../src/record/places';
import type { Gotcha } from '../src/view/record';
import { sample } from './samples';

const GOTCHA: Gotcha = {
  code: 'NB-X',
  backend: 'numba',
  severity: 'silent',
  status: 'possible',
  line: 1,
  column: null,
  end_line: null,
  end_column: null,
  message: 'This happens.',
  fix: '',
  handled: false,
  link: ''
};

/** A record whose function stands at a line of a cell. */
function record(source: string, lines: (number | null)[], gotchas: Partial<Gotcha>[]) {
  const made = sample('sample');
  Object.assign(made.workload, { source, lines, origin: 'cell' });
  made.gotchas = gotchas.map(gotcha => ({ ...GOTCHA, ...gotcha }));
  return made;
}

const MODULE = 'import numpy as np\n\n\ndef fn(x):\n    y = x * 2\n    return y.sum()\n';
const LINES = [null, null, null, 2, 3, 4];
const CELL = '%%jitcompare\ndef fn(x):\n    y = x * 2\n    return y.sum()\n\nfn(x)\n';
const SUM = { line: 4, column: 11, end_line: 4, end_column: 18 };

function marked(cell: string, ...gotchas: Partial<Gotcha>[]): string[] {
  return marksIn(cell, placed(record(MODULE, LINES, gotchas))).map(({ from, to }) => cell.slice(from, to));
}

test('a gotcha stands at its columns', () => {
  assert.deepEqual(marked(CELL, SUM), ['y.sum()']);
});

test('without columns, or with such as do not fit, it is the line', () => {
  assert.deepEqual(marked(CELL, { line: 4 }), ['return y.sum()']);
  assert.deepEqual(marked(CELL, { ...SUM, end_column: 400 }), ['return y.sum()']);
  assert.deepEqual(marked(CELL, { ...SUM, end_line: 2 }), ['return y.sum()']);
  assert.deepEqual(marked(CELL, { ...SUM, column: 18, end_column: 11 }), ['return y.sum()']);
});

test('a gotcha over several lines', () => {
  assert.deepEqual(marked(CELL, { line: 3, column: 4, end_line: 4, end_column: 18 }), [
    'y = x * 2\n    return y.sum()'
  ]);
});

test('edited text carries no mark, and gets it back when the edit is undone', () => {
  assert.deepEqual(marked(CELL.replace('y.sum()', 'y.mean()'), SUM), []);
  assert.deepEqual(marked(CELL.replace('x * 2', 'x * 3'), SUM), []);
  assert.deepEqual(marked(`# new first line\n${CELL}`, SUM), []);
  assert.deepEqual(marked(CELL.replace('fn(x)\n', 'fn(x)  # other line\n').replace('# other line', ''), SUM), [
    'y.sum()'
  ]);
});

test('a piece that stands deeper in the cell', () => {
  const cell = 'if True:\n    def fn(x):\n        y = x * 2\n        return y.sum()\n';
  const all = placed(record(MODULE, [null, null, null, 2, 3, 4], [SUM]));
  assert.deepEqual(
    marksIn(cell, all).map(({ from, to }) => cell.slice(from, to)),
    ['y.sum()']
  );
});

test('two helpers of two cells at the same line: each is found in its own cell', () => {
  const module = 'def a(x):\n    return x.std()\n\n\ndef b(x):\n    return x.mean()\n';
  const made = record(module, [1, 2, null, null, 1, 2], [{ line: 2, column: 11, end_line: 2, end_column: 17 }]);
  const all = placed(made);
  const cells = ['def a(x):\n    return x.std()', 'def b(x):\n    return x.mean()', 'print(1)\nprint(2)'];
  const texts = cells.map(cell => marksIn(cell, all).map(({ from, to }) => cell.slice(from, to)));
  assert.deepEqual(texts, [['x.std('], ['x.mean'], []]);
});

test('columns are characters to Python and UTF-16 units to the editor', () => {
  const line = 'y = "𝛼𝛽" + x.sum()';
  const made = record(line, [1], [{ line: 1, column: 11, end_line: 1, end_column: 18 }]);
  const [{ from, to }] = marksIn(line, placed(made));
  assert.equal(line.slice(from, to), 'x.sum()');
});

test('the same gotcha of two comparisons is marked once', () => {
  const one = placed(record(MODULE, LINES, [SUM]));
  assert.equal(marksIn(CELL, [...one, ...one]).length, 1);
});

test('a file has no place in a notebook', () => {
  const made = record(MODULE, LINES, [SUM]);
  made.workload.origin = 'model.py';
  assert.deepEqual(placed(made), []);
});
