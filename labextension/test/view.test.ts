// The view shows what Python's views show: the same digits, the same order, the same cleaned strings.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compareRuns } from '../src/record/two-runs';
import * as circumstances from '../src/view/circumstances';
import { paired, stretches } from '../src/view/diff';
import { highlighted } from '../src/view/highlight';
import { clean, figures, rows, type JitmagicRecord } from '../src/view/index';

const cases = JSON.parse(readFileSync('test/view-cases.json', 'utf8'));

/** Findings as the lists that Python writes. */
function plain(value: any): any {
  return Array.isArray(value) ? value.map(one => [one.arguments, one.outcome, one.detail, one.snippet]) : value;
}

function record(name: string): JitmagicRecord {
  return JSON.parse(readFileSync(`../tests/report/records/${name}.json`, 'utf8'));
}

test('figures have the digits that Python gives them', () => {
  for (const one of cases.figures) {
    const { median, low, high } = one;
    const told = JSON.stringify({ median, low, high });
    assert.deepEqual([figures.figure(median), figures.figure(median, low, high)], one.figure, told);
    assert.deepEqual(figures.speedup({ median, low, high }), one.speedup, told);
    assert.deepEqual(
      [figures.duration(median), figures.durationInterval(median, low, high)],
      one.duration,
      told
    );
    assert.equal(figures.clock({ median, low, high, samples: 9 }), one.clock, told);
    assert.equal(figures.calls(median), one.calls, told);
  }
});

test('strings are cleaned as Python cleans them', () => {
  for (const [text, line, block] of cases.lines) {
    assert.equal(clean.line(text), line);
    assert.equal(clean.block(text), block);
  }
  for (const [text, address] of cases.addresses) {
    assert.equal(clean.webAddress(text), address, text);
  }
});

test('rows and gotchas are those of Python, in its order', () => {
  for (const [name, expected] of Object.entries<any>(cases.records)) {
    const read = record(name);
    const made = rows.rows(read).map(row => cases.fields.map((field: string) => plain((row as any)[field])));
    assert.deepEqual(made, expected.rows, name);
    const hints = rows
      .hints(read)
      .map(hint => [
        hint.code,
        hint.attention,
        hint.state,
        hint.message,
        hint.fix,
        hint.link,
        hint.line === null ? '' : `line ${hint.line}`
      ]);
    assert.deepEqual(hints, expected.hints, name);
    const told = [
      rows.machine(read),
      rows.interruption(read),
      ...read.workload.arguments.map(rows.argument),
      rows.advice(read)[0],
      ...circumstances.facts(read).flat(),
      ...circumstances.near(read),
      ...read.variants.map(variant => circumstances.shares(read, variant))
    ];
    assert.deepEqual(told, expected.told, name);
    const earlier = rows.before(read);
    assert.deepEqual(earlier && [earlier.caption, earlier.lines, earlier.notes], expected.before, name);
  }
});

test('two runs side by side say what Python says', () => {
  for (const { a, b, cautions, differences, changes } of cases.pairs) {
    const found = compareRuns(record(a), record(b));
    assert.deepEqual(found.cautions, cautions, `${a} ${b}`);
    assert.deepEqual(
      found.environment.map(one => [one.what, one.a, one.b]),
      differences,
      `${a} ${b}`
    );
    assert.deepEqual(
      found.rows.map(row => [row.label, row.change, row.ratio]),
      changes,
      `${a} ${b}`
    );
  }
});

test('paired lines are both sources, and what stayed is level', () => {
  const left = ['a', 'b', 'c', 'd', 'e'];
  const right = ['a', 'x', 'c', 'y', 'z', 'e'];
  const pairs = paired(left, right)!;
  assert.deepEqual(pairs.map(pair => pair.left).filter(one => one !== null), [0, 1, 2, 3, 4]);
  assert.deepEqual(pairs.map(pair => pair.right).filter(one => one !== null), [0, 1, 2, 3, 4, 5]);
  for (const pair of pairs.filter(one => !one.changed)) {
    assert.equal(left[pair.left!], right[pair.right!]);
  }
  assert.equal(pairs.filter(one => one.changed).length, 3);
  assert.deepEqual(paired([], ['a']), [{ left: null, right: 0, changed: true }]);
  assert.equal(paired(Array(3000).fill('a'), Array(3000).fill('b')), null);
});

test('what did not change is folded, but for lines around each change', () => {
  const same = (index: number) => ({ left: index, right: index, changed: false });
  const pairs = [...Array(20).keys()].map(same);
  pairs[10] = { left: 10, right: 10, changed: true };
  const found = stretches(pairs, 3);
  assert.deepEqual(found.map(one => [one.folded, one.pairs.length]), [
    [true, 7],
    [false, 7],
    [true, 6]
  ]);
  assert.deepEqual(stretches([same(0)]).map(one => one.folded), [false]);
});

test('highlighting changes no character of a source', () => {
  const sources = [
    'def f(x):  # "no string"\n    return """a\n  b\'\'\' """ + x[1e-3] @ y\n',
    '@numba.njit(parallel=True)\ndef größe(λ): return f"{λ!r}" if λ else None',
    '"""never closed\nx = 1',
    "'a\\\nb' \"\\\"\" r'\\'",
    ...Object.keys(cases.records).flatMap(name => record(name).variants.map(variant => variant.source))
  ];
  for (const source of sources) {
    const lines = highlighted(source).map(pieces => pieces.map(piece => piece.text).join(''));
    assert.equal(lines.join('\n'), source);
  }
  const [first] = highlighted('return "x"  # y');
  assert.deepEqual(first.filter(piece => piece.kind).map(piece => [piece.text, piece.kind]), [
    ['return', 'jm-keyword'],
    ['"x"', 'jm-string'],
    ['# y', 'jm-comment']
  ]);
});
