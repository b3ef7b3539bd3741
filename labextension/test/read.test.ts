import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRecord } from '../src/record/read';
import { sample } from './samples';

for (const name of ['sample', 'many', 'crashed', 'unsupported', 'interrupted', 'non_ascii', 'hostile']) {
  test(`the record ${name} is read`, () => {
    const reading = readRecord(sample(name));
    assert.ok('record' in reading, JSON.stringify(reading));
  });
}

test('a newer record is named as such', () => {
  const reading = readRecord({ ...sample('sample'), schema: 'jitmagic/v7' });
  assert.ok('problem' in reading);
  assert.match(reading.problem, /jitmagic\/v7.*pip install --upgrade jitmagic/);
});

test('what is no record is said in a sentence, with the place', () => {
  for (const value of [null, undefined, 3, 'text', [], {}, { schema: 'jitmagic/v1' }, { schema: 7 }]) {
    const reading = readRecord(value);
    assert.ok('problem' in reading, String(value));
    assert.match(reading.problem, /\.$/);
  }
  const record = sample('sample') as any;
  record.variants[0].clocks.run.median = 'fast';
  const reading = readRecord(record);
  assert.ok('problem' in reading);
  assert.match(reading.details[0], /record\.variants\[0\]\.clocks\.run.*/);
});

test('a speedup without a verified result is no valid record', () => {
  const record = sample('sample');
  const faster = record.variants.find(variant => variant.verdict === 'faster')!;
  faster.verified = false;
  const reading = readRecord(record);
  assert.ok('problem' in reading);
});

test('properties that nobody knows yet are left alone', () => {
  const reading = readRecord({ ...sample('sample'), novelty: { deep: [1] } });
  assert.ok('record' in reading);
});
