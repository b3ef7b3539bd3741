// The records that the Python tests are made with.
import { readFileSync } from 'node:fs';
import type { JitmagicRecord } from '../src/view/record';

export function sample(name: string): JitmagicRecord {
  return JSON.parse(readFileSync(`../tests/report/records/${name}.json`, 'utf8'));
}
