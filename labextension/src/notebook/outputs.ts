// The comparisons and the progress that the outputs of a cell hold.

import type { ICodeCellModel } from '@jupyterlab/cells';
import { readRecord, type Reading } from '../record/read';
import type { JitmagicRecord } from '../view/record';
import { MIME, PROGRESS_MIME, type ProgressState } from '../view';

/** One comparison in the notebook. */
export interface Entry {
  cell: ICodeCellModel;
  record: JitmagicRecord;
}

// An output's data is replaced and never changed in place, so that a value is read once.
const READINGS = new WeakMap<object, Reading>();

/** Reads the value of an output under our media type, once for each value. */
export function readingOf(value: unknown): Reading {
  if (typeof value !== 'object' || value === null) {
    return readRecord(value);
  }
  let reading = READINGS.get(value);
  if (!reading) {
    reading = readRecord(value);
    READINGS.set(value, reading);
  }
  return reading;
}

/** Finds the comparisons in a cell's outputs. */
export function entriesOf(cell: ICodeCellModel): Entry[] {
  const found: Entry[] = [];
  for (const data of bundles(cell)) {
    if (MIME in data) {
      const reading = readingOf(data[MIME]);
      if ('record' in reading) {
        found.push({ cell, record: reading.record });
      }
    }
  }
  return found;
}

/** Finds the progress of a comparison that runs in a cell; null where none does. */
export function progressOf(cell: ICodeCellModel): ProgressState | null {
  for (const data of bundles(cell)) {
    const state = data[PROGRESS_MIME] as unknown as ProgressState | undefined;
    if (state?.schema === 'jitmagic-progress/v1') {
      return state;
    }
  }
  return null;
}

function* bundles(cell: ICodeCellModel): Generator<{ readonly [mime: string]: unknown }> {
  const { outputs } = cell;
  for (let index = 0; index < outputs.length; index++) {
    const output = outputs.get(index);
    if (output.type === 'display_data' || output.type === 'execute_result' || output.type === 'update_display_data') {
      yield output.data;
    }
  }
}
