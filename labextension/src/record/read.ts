// From what an output holds under our media type to a record, or to a sentence that says why it is none.

import type { JitmagicRecord } from '../view/record';
import { problems } from './validate';

export const SCHEMA = 'jitmagic/v1';

export type Reading = { record: JitmagicRecord } | { problem: string; details: string[] };

/** Reads a value as a record; never throws. */
export function readRecord(value: unknown): Reading {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { problem: 'This output should hold a jitmagic comparison and does not.', details: [] };
  }
  const version = (value as { schema?: unknown }).schema;
  if (typeof version === 'string' && version !== SCHEMA && /^jitmagic\/v\d+$/.test(version)) {
    return {
      problem:
        `This comparison was saved in the form ${version}, and this extension reads ${SCHEMA}. ` +
        'Update it with: pip install --upgrade jitmagic',
      details: []
    };
  }
  const found = problems(value);
  if (found.length > 0) {
    return { problem: 'This output holds no valid jitmagic comparison; it may have been edited.', details: found };
  }
  return { record: value as unknown as JitmagicRecord };
}
