// Two runs side by side: what is different around them, and what became better or worse.

import { valueType } from '../view/figures';
import type { Clock, Interval, JitmagicRecord, Value } from '../view/record';
import { rows as shownRows, type Row as Shown } from '../view/rows';

export type Change = 'faster' | 'slower' | 'no clear difference' | 'not comparable' | 'only in A' | 'only in B';

export interface Difference {
  what: string;
  a: string;
  b: string;
}

export interface Pair {
  label: string;
  a: Shown | null;
  b: Shown | null;
  change: Change;
  /** How many times as fast B ran as A, with the widest interval that both clocks allow. */
  ratio: Interval | null;
}

export interface TwoRuns {
  a: JitmagicRecord;
  b: JitmagicRecord;
  /** Whether both ran the same call on arguments of the same kinds. */
  sameArguments: boolean;
  sameSource: boolean;
  environment: Difference[];
  rows: Pair[];
  /** Sentences that the reader must know before believing the figures. */
  cautions: string[];
}

/** Sets two records side by side. */
export function compareRuns(a: JitmagicRecord, b: JitmagicRecord): TwoRuns {
  const sameArguments =
    a.workload.call === b.workload.call && describe(a.workload.arguments) === describe(b.workload.arguments);
  const sameSource = a.workload.source === b.workload.source;
  const rows = paired(a, b).map(([one, other]) => pair(one, other, sameArguments));
  const runs: TwoRuns = { a, b, sameArguments, sameSource, environment: differences(a, b), rows, cautions: [] };
  runs.cautions = cautions(runs);
  return runs;
}

function paired(a: JitmagicRecord, b: JitmagicRecord): [Shown | null, Shown | null][] {
  const key = ({ variant }: Shown) => JSON.stringify([variant.name, variant.device]);
  const left = new Map(shownRows(a).map(row => [key(row), row]));
  // the order of B, the newer run; what only A has stands at the end
  const right = shownRows(b);
  const pairs: [Shown | null, Shown | null][] = right.map(row => [left.get(key(row)) ?? null, row]);
  right.forEach(row => left.delete(key(row)));
  return [...pairs, ...[...left.values()].map((row): [Shown, null] => [row, null])];
}

function pair(a: Shown | null, b: Shown | null, sameArguments: boolean): Pair {
  const plain = { label: (b ?? a)!.label, a, b, ratio: null };
  if (!a || !b) {
    return { ...plain, change: a ? 'only in A' : 'only in B' };
  }
  if (!a.timed || !b.timed || !sameArguments) {
    return { ...plain, change: 'not comparable' };
  }
  const ratio = quotient(a.variant.clocks.run!, b.variant.clocks.run!);
  return ratio ? { ...plain, ratio, change: judged(ratio) } : { ...plain, change: 'not comparable' };
}

/** What two processes that run the same code differ by, as in `measure/statistics.py`. */
const BETWEEN_PROCESSES = 0.025;

/**
 * A's time divided by B's. The ends are the widest that the two intervals allow, since the runs were not interleaved,
 * and further apart by what two processes differ by.
 */
export function quotient(a: Clock, b: Clock): Interval | null {
  if (a.low <= 0 || b.low <= 0) {
    return null;
  }
  const room = 1 + BETWEEN_PROCESSES;
  return { median: a.median / b.median, low: a.low / b.high / room, high: (a.high / b.low) * room };
}

function judged(ratio: Interval): Change {
  if (ratio.low > 1) {
    return 'faster';
  }
  return ratio.high < 1 ? 'slower' : 'no clear difference';
}

function differences(a: JitmagicRecord, b: JitmagicRecord): Difference[] {
  const found: Difference[] = [];
  const add = (what: string, one: unknown, other: unknown) => {
    // what is measured of a machine, and has parts, says nothing as one line
    if (!parts(one) && !parts(other) && text(one) !== text(other)) {
      found.push({ what, a: text(one), b: text(other) });
    }
  };
  add('arguments', describe(a.workload.arguments), describe(b.workload.arguments));
  add('jitmagic', a.jitmagic, b.jitmagic);
  for (const [name, one, other] of both(a.options, b.options)) {
    add(`option ${name}`, one, other);
  }
  for (const [name, one, other] of both(a.machine, b.machine)) {
    add(name, one, other);
  }
  for (const [name, one, other] of both(a.libraries, b.libraries)) {
    add(name, one, other);
  }
  return found;
}

function cautions(runs: TwoRuns): string[] {
  const { a, b, sameArguments, sameSource, environment, rows } = runs;
  const found: string[] = [];
  if (a.workload.name !== b.workload.name) {
    found.push(`These are two functions, ${a.workload.name} and ${b.workload.name}.`);
  } else if (!sameSource) {
    found.push(`The source of ${a.workload.name} changed between the runs.`);
  }
  if (!sameArguments) {
    found.push('The calls or their arguments differ, so that no run time is called better or worse.');
  }
  if (environment.some(difference => ['processor', 'cores', 'threads', 'system'].includes(difference.what))) {
    found.push('The runs were made on different machines.');
  }
  const own = rows.find(each => each.b?.baseline);
  if (own?.ratio && sameSource && own.change !== 'no clear difference') {
    found.push(
      `NumPy itself ran clearly ${own.change} in B, with the same source: the machine or its load changed. ` +
        'The speedups, each taken within one run, are the fairer figures.'
    );
  }
  if (a.status !== 'complete' || b.status !== 'complete') {
    found.push('A run was stopped before its end.');
  }
  return found;
}

function describe(values: Value[]): string {
  return values
    .map(each => `${each.name} ${valueType(each)}${each.value === null ? '' : ` = ${each.value}`}`)
    .join(', ');
}

function both(a: object, b: object): [string, unknown, unknown][] {
  const left = new Map(Object.entries(a));
  const right = new Map(Object.entries(b));
  const names = [...new Set([...left.keys(), ...right.keys()])];
  return names.map(name => [name, left.get(name), right.get(name)]);
}

function parts(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  if (value === null || value === undefined) {
    return '–';
  }
  return Array.isArray(value) ? value.join(', ') : String(value);
}
