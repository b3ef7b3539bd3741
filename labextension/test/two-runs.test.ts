import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareRuns, quotient } from '../src/record/two-runs';
import type { JitmagicRecord } from '../src/view/record';
import { sample } from './samples';

function scaled(record: JitmagicRecord, name: string, factor: number): JitmagicRecord {
  const copy = structuredClone(record);
  for (const variant of [copy.baseline, ...copy.variants]) {
    const clock = variant.clocks.run;
    if (clock && variant.name === name) {
      Object.assign(clock, { median: clock.median * factor, low: clock.low * factor, high: clock.high * factor });
    }
  }
  return copy;
}

const change = (runs: ReturnType<typeof compareRuns>, label: string) =>
  runs.rows.find(row => row.label === label)?.change;

test('a run and itself: no difference anywhere', () => {
  const runs = compareRuns(sample('sample'), sample('sample'));
  assert.deepEqual(runs.environment, []);
  assert.deepEqual(runs.cautions, []);
  for (const row of runs.rows) {
    assert.ok(['no clear difference', 'not comparable'].includes(row.change), row.label);
  }
});

test('better and worse need intervals that lie apart', () => {
  const a = sample('sample');
  const name = a.variants.find(variant => variant.verdict === 'faster')!.name;
  assert.equal(change(compareRuns(a, scaled(a, name, 0.5)), name), 'faster');
  assert.equal(change(compareRuns(a, scaled(a, name, 2)), name), 'slower');
  assert.equal(change(compareRuns(a, scaled(a, name, 1.0001)), name), 'no clear difference');
});

test('the ratio holds every ratio that the two clocks allow', () => {
  const clock = (median: number, low: number, high: number) => ({ median, low, high, samples: 9 });
  const found = quotient(clock(4, 3, 6), clock(2, 1, 3))!;
  assert.equal(found.median, 2);
  assert.ok(found.low < 1 && found.low > 0.95);
  assert.ok(found.high > 6 && found.high < 6.5);
  assert.equal(quotient(clock(0, 0, 1), clock(1, 1, 1)), null);
});

test('other arguments make no run time better or worse', () => {
  const a = sample('sample');
  const b = structuredClone(a);
  b.workload.arguments[0].shape = [7];
  const runs = compareRuns(a, b);
  assert.ok(!runs.sameArguments);
  assert.ok(runs.rows.every(row => !['faster', 'slower'].includes(row.change)));
  assert.ok(runs.cautions.some(caution => caution.includes('no run time is called better or worse')));
  assert.equal(runs.environment[0].what, 'arguments');
});

test('a machine that became slower is said, since NumPy shows it', () => {
  const a = sample('sample');
  const runs = compareRuns(a, scaled(a, a.baseline.name, 3));
  assert.ok(runs.cautions.some(caution => caution.startsWith('NumPy itself ran clearly slower in B')));
});

test('what differs around the runs, and variants that only one of them has', () => {
  const a = sample('sample');
  const b = structuredClone(a);
  b.libraries.numba = '99.0';
  b.machine.processor = 'Another 9000';
  const [dropped] = b.variants.splice(0, 1);
  const runs = compareRuns(a, b);
  assert.ok(runs.environment.some(each => each.what === 'numba' && each.b === '99.0'));
  assert.ok(runs.cautions.includes('The runs were made on different machines.'));
  assert.ok(runs.rows.some(row => row.change === 'only in A' && row.a?.name === dropped.name));
});

test('an unverified variant is never better', () => {
  const a = sample('sample');
  const b = structuredClone(a);
  const broken = b.variants.find(variant => variant.verdict === 'faster')!;
  broken.verified = false;
  assert.equal(change(compareRuns(a, b), broken.name), 'not comparable');
});
