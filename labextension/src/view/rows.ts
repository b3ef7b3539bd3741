/**
 * What every view shows of each variant and gotcha: chosen and ordered as `report/rows.py` does it.
 *
 * The rule that matters most stands here: a figure of speed is shown only for a verified result.
 */

import * as clean from './clean';
import * as figures from './figures';
import type { ClockName, Device, Gotcha, JitmagicRecord, Machine, Probe, Value, Variant } from './record';

/** A character for each verdict, so that colour is never the only sign. */
export const SIGNS: { [verdict: string]: string } = {
  baseline: '=',
  faster: '▲',
  slower: '▼',
  'no clear difference': '≈',
  differs: '≠',
  'not verified': '?',
  unsupported: '–',
  crashed: '✗',
  'timed out': '∞',
  stopped: '■'
};

export const SEVERITIES: { [severity: string]: string } = {
  silent: 'Silent: the numbers change without a word',
  error: 'Error: it stops with an exception',
  performance: 'Performance: time is lost or measured wrongly'
};

/** The sign of a variant that is right with the user's arguments and not with others. */
export const BUT = '!';

/** The outcomes of a probe that are findings, the worst first. */
const WORST = ['differs', 'no exception', 'crashed', 'timed out', 'raises'];

const UNPROVED = 'not verified';
const TIMED = ['faster', 'slower', 'no clear difference'];
const UNTIMED_ORDER = ['baseline', 'differs', UNPROVED, 'crashed', 'timed out', 'stopped', 'unsupported'];
const STATUS_ORDER = ['confirmed', 'possible', 'not seen with these inputs'];
const NO_REASON: { [verdict: string]: string } = {
  baseline: 'it was not timed',
  differs: "the result differs from NumPy's",
  [UNPROVED]: 'the result was not verified or not timed, so that no speed is shown',
  unsupported: 'it could not be made',
  crashed: 'its worker process ended',
  'timed out': 'it took longer than the time limit',
  stopped: 'it was interrupted before it was timed'
};

/** A character for each change against the run before. */
export const CHANGES: { [change: string]: string } = {
  faster: '▲',
  slower: '▼',
  'no clear difference': '≈',
  'not comparable': '–',
  new: '+',
  gone: '−'
};

/** This run against the one before as text; every string is clean. See `rows.Before` in Python. */
export interface Before {
  caption: string;
  /** Sign, label, and what became of it, of each variant. */
  lines: [string, string, string][];
  notes: string[];
}

/** Returns what changed against the run before; null where there was none. */
export function before(record: JitmagicRecord): Before | null {
  const { previous } = record;
  if (!previous) {
    return null;
  }
  const lines = previous.variants.map((one): [string, string, string] => {
    const [ratio, ends] = one.ratio ? figures.speedup(one.ratio) : ['', ''];
    const moved = one.change === 'faster' || one.change === 'slower';
    const name = clean.line(one.name);
    const device = clean.line(one.device);
    const label = device === 'cpu' || name.includes(device) ? name : `${name} · ${device}`;
    return [
      CHANGES[one.change] ?? '–',
      clean.line(label),
      one.change + (moved ? `: ${ratio} as fast${ends ? ` (${ends})` : ''}` : '')
    ];
  });
  const notes = [
    ...previous.cautions.map(one => clean.line(one)),
    ...previous.differences.map(one => `${clean.line(one.what)}: ${clean.line(one.before)} → ${clean.line(one.now)}`)
  ];
  return { caption: `Against the run of ${minute(clean.line(previous.created))}`, lines, notes };
}

/** Writes a record's time as short as a reader needs it: "2026-11-20 09:58 UTC". */
function minute(created: string): string {
  const found = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[\d:.]*(?:\+00:00|Z)$/.exec(created);
  return found ? `${found[1]} ${found[2]} UTC` : created;
}

/** What a variant gets wrong with a probe's arguments; every string is clean. See `rows.Finding` in Python. */
export interface Finding {
  arguments: string;
  outcome: string;
  detail: string;
  snippet: string;
}

/** One variant (or the baseline) as a row of text; every string is clean. See `rows.Row` in Python. */
export interface Row {
  label: string;
  name: string;
  verdict: string;
  sign: string;
  timed: boolean;
  baseline: boolean;
  recommended: boolean;
  ratio: number | null;
  /** The ends of the ratio's interval; null for the baseline and where there is none. */
  ends: [number, number] | null;
  speedup: string;
  interval: string;
  run: string;
  moved: boolean;
  endToEnd: string;
  build: string;
  breakEven: string;
  error: string;
  errorDetail: string;
  reason: string;
  nextStep: string;
  /** What it gets wrong with other arguments, the worst first. */
  findings: Finding[];
  /** The same in one sentence; '' where it is wrong nowhere. A row that has it is never plainly right. */
  but: string;
  /** How many probes it was right with; '' where it was not probed. */
  probed: string;
  variant: Variant;
}

/** Returns the baseline and all variants: the timed ones by run time, then the others by verdict. */
export function rows(record: JitmagicRecord): Row[] {
  const everything = [record.baseline, ...record.variants];
  const chosen = recommended(record, everything);
  const made = everything.map(variant => row(variant, variant === chosen));
  const run = (one: Row): number => one.variant.clocks.run?.median ?? 0;
  const timed = made.filter(one => one.timed).sort((a, b) => run(a) - run(b));
  const rank = (one: Row): number => UNTIMED_ORDER.indexOf(one.verdict);
  return [...timed, ...made.filter(one => !one.timed).sort((a, b) => rank(a) - rank(b))];
}

/** Says whether figures of speed may be shown: for nothing but a verified result. */
export function isTimed(variant: Variant): boolean {
  if (!variant.clocks.run) {
    return false;
  }
  if (variant.verdict === 'baseline') {
    return true;
  }
  return variant.verified === true && TIMED.includes(variant.verdict) && Boolean(variant.speedup);
}

function ratioOf(variant: Variant): number | null {
  if (!isTimed(variant)) {
    return null;
  }
  return variant.verdict === 'baseline' ? 1 : (variant.speedup?.median ?? null);
}

/** Returns the recommended variant; of those of one name on several devices, the fastest. */
function recommended(record: JitmagicRecord, everything: Variant[]): Variant | null {
  const named = everything.filter(
    variant => variant.name === record.recommendation?.variant && variant.verified === true
  );
  return named.reduce<Variant | null>(
    (best, one) => (best === null || (ratioOf(one) ?? 0) > (ratioOf(best) ?? 0) ? one : best),
    null
  );
}

function row(variant: Variant, isRecommended: boolean): Row {
  const timed = isTimed(variant);
  // a record that breaks its contract must not make a view claim a speed
  const verdict = !timed && TIMED.includes(variant.verdict) ? UNPROVED : variant.verdict;
  const baseline = verdict === 'baseline';
  const [speedup, interval] =
    timed && variant.speedup && !baseline ? figures.speedup(variant.speedup) : [timed ? '1×' : '', ''];
  const clock = (name: ClockName): string => (timed ? figures.clock(variant.clocks[name]) : figures.MISSING);
  const name = clean.line(variant.name);
  const device = clean.line(variant.device);
  const found = timed ? findings(variant) : [];
  const but = inOneSentence(found);
  const reason = clean.line(variant.reason) || (timed ? '' : (NO_REASON[verdict] ?? ''));
  return {
    label: device === 'cpu' || name.includes(device) ? name : `${name} · ${device}`,
    name,
    verdict,
    sign: but ? BUT : (SIGNS[verdict] ?? '?'),
    timed,
    baseline,
    recommended: isRecommended,
    ratio: ratioOf(variant),
    ends: timed && !baseline && variant.speedup ? [variant.speedup.low, variant.speedup.high] : null,
    speedup,
    interval,
    run: clock('run'),
    moved: timed && Boolean(variant.clocks.to_device || variant.clocks.to_host),
    endToEnd: clock('end_to_end'),
    build: clock('build'),
    breakEven: timed ? breakEven(variant) : figures.MISSING,
    error: timed && variant.error ? figures.figure(variant.error.max_abs) : figures.MISSING,
    errorDetail: errorDetail(variant),
    reason: [reason, timed ? elsewhere(variant) : '', but].filter(Boolean).join('; '),
    nextStep: clean.line(variant.next_step),
    findings: found,
    but,
    probed: timed ? probed(variant) : '',
    variant
  };
}

/** Says of a variant of another machine what its speed is set against; '' for this machine. */
function elsewhere(variant: Variant): string {
  const name = clean.line(variant.machine ?? '');
  if (!name) {
    return '';
  }
  const [ratio, ends] = variant.across ? figures.speedup(variant.across) : ['', ''];
  const here = ratio ? `${ratio}${ends ? ` (${ends})` : ''} against NumPy here` : 'not set against NumPy here';
  return variant.verdict === 'baseline' ? `NumPy on ${name}: ${here}` : `on ${name}, against NumPy there; ${here}`;
}

/** Returns what a variant gets wrong with other arguments, the worst first. */
function findings(variant: Variant): Finding[] {
  const rank = (one: Probe): number => 2 * WORST.indexOf(one.outcome) + (one.kind === 'dtype' ? 1 : 0);
  return (variant.probes ?? [])
    .filter(one => WORST.includes(one.outcome))
    .sort((a, b) => rank(a) - rank(b))
    .map(one => ({
      arguments: clean.line(one.arguments),
      outcome: one.outcome,
      detail: clean.line(one.detail),
      snippet: clean.block(one.snippet)
    }));
}

/** Says of a variant whether it is right with the user's arguments and gives wrong numbers with others. */
export function isRightOnlyHere(variant: Variant): boolean {
  return isTimed(variant) && inOneSentence(findings(variant)) !== '';
}

function inOneSentence(found: Finding[]): string {
  const wrong = found.filter(one => one.outcome !== 'raises'); // an exception is no wrong number
  if (!wrong.length) {
    return '';
  }
  const rest = wrong.length > 1 ? ` (and ${figures.plural(wrong.length - 1, 'more such case')})` : '';
  return `right here, but with ${found[0].arguments}: ${found[0].detail}${rest}`;
}

function probed({ probes }: Variant): string {
  if (!probes?.length) {
    return '';
  }
  const tried = probes.filter(one => one.outcome !== 'not run');
  const right = tried.filter(one => one.outcome === 'agrees').length;
  const left = probes.length - tried.length;
  const text = `as NumPy with ${right} of ${tried.length} other arguments that were tried`;
  return left ? `${text}; ${left} more were not tried, their time was spent` : text;
}

function breakEven(variant: Variant): string {
  if (variant.break_even_calls !== null) {
    return figures.calls(variant.break_even_calls);
  }
  return variant.verdict === 'slower' && variant.clocks.build ? 'never' : figures.MISSING;
}

function errorDetail({ error }: Variant): string {
  if (!error || (error.max_abs === null && error.max_rel === null && !error.where)) {
    return '';
  }
  if (error.max_abs === 0) {
    return "none: every value is the same as NumPy's";
  }
  const parts: string[] = [];
  if (error.max_abs !== null) {
    parts.push(figures.figure(error.max_abs));
  }
  if (error.max_rel !== null) {
    const relative = `relative ${figures.figure(error.max_rel)}`;
    parts.push(parts.length ? `(${relative})` : relative);
  }
  if (!parts.length) {
    parts.push('not finite');
  }
  if (error.where) {
    parts.push(`at ${clean.line(error.where)}`);
  }
  return parts.join(' ');
}

/** One gotcha as text; every string is clean. See `rows.Hint` in Python. */
export interface Hint {
  code: string;
  backend: string;
  severity: string;
  attention: boolean;
  line: number | null;
  quoted: string;
  /** Where in `quoted` it is, as [from, to); null where it is not known, or not on that line alone. */
  span: [number, number] | null;
  state: string;
  message: string;
  fix: string;
  link: string | null;
}

/** Returns the gotchas, the gravest first; within one severity those that ask for attention, then by line. */
export function hints(record: JitmagicRecord): Hint[] {
  const severities = Object.keys(SEVERITIES);
  const key = (gotcha: Gotcha): number[] => [
    severities.indexOf(gotcha.severity),
    asksForAttention(gotcha) ? 0 : 1,
    STATUS_ORDER.indexOf(gotcha.status),
    gotcha.line ?? 0,
    gotcha.column ?? 0
  ];
  const lines = sourceLines(record);
  return record.gotchas
    .map(gotcha => ({ gotcha, key: key(gotcha) }))
    .sort((a, b) => a.key.map((one, index) => one - b.key[index]).find(one => one !== 0) ?? 0)
    .map(({ gotcha }) => hint(gotcha, lines));
}

/** Returns the user's source by the user's own line numbers. */
export function sourceLines(record: JitmagicRecord): Map<number, string> {
  const text = record.workload.source.replace(/\r\n?/g, '\n').split('\n');
  const found = new Map<number, string>();
  record.workload.lines.forEach((number, index) => {
    if (number !== null && index < text.length) {
      found.set(number, text[index]);
    }
  });
  return found;
}

function asksForAttention(gotcha: Gotcha): boolean {
  return !gotcha.handled && gotcha.status !== 'not seen with these inputs';
}

function hint(gotcha: Gotcha, lines: Map<number, string>): Hint {
  const whole = gotcha.line === null ? '' : (lines.get(gotcha.line) ?? '');
  const quoted = whole.trim();
  return {
    code: clean.line(gotcha.code),
    backend: clean.line(gotcha.backend),
    severity: gotcha.severity,
    attention: asksForAttention(gotcha),
    line: gotcha.line,
    quoted,
    span: spanIn(gotcha, whole),
    state: state(gotcha),
    message: clean.line(gotcha.message),
    fix: clean.line(gotcha.fix),
    link: gotcha.link ? clean.webAddress(gotcha.link) : null
  };
}

function state(gotcha: Gotcha): string {
  const origin = clean.line(gotcha.origin ?? '');
  return gotcha.status + (gotcha.handled ? ', handled' : '') + (origin ? `; from ${origin}` : '');
}

function spanIn(gotcha: Gotcha, whole: string): [number, number] | null {
  if (gotcha.column === null || gotcha.end_column === null || gotcha.end_line !== gotcha.line) {
    return null;
  }
  const indent = whole.length - whole.trimStart().length;
  const [start, stop] = [gotcha.column - indent, gotcha.end_column - indent];
  return start >= 0 && start < stop && stop <= whole.trim().length ? [start, stop] : null;
}

/** Returns a device in one line: its name, what it is, what is known of it, and which backends can use it. */
export function device(one: Device): string {
  const able = figures.listed(one.backends) || 'no backend can use it';
  return clean.line([`${one.name}: ${one.title}`, ...(one.details ?? []), able].join('; '));
}


/** Returns the machine in one line: processor, cores, memory, system, Python. */
export function machine(record: JitmagicRecord): string {
  return computer(record.machine);
}

/** Returns a computer in one line. */
export function computer(facts: Machine): string {
  const parts: string[] = [];
  if (facts.processor) {
    parts.push(facts.processor);
  }
  if (facts.cores) {
    parts.push(figures.plural(facts.cores, 'core'));
  }
  if (facts.memory) {
    parts.push(figures.size(facts.memory));
  }
  const system = [facts.system, facts.release].filter(Boolean).join(' ');
  if (system) {
    parts.push(system);
  }
  parts.push(`Python ${facts.python}`);
  return clean.line(parts.join(' · '));
}

/** Returns an argument or a result as text. */
export function argument(fact: Value): string {
  let text = `${fact.name} ${figures.valueType(fact)}`;
  if (fact.value !== null) {
    text += ` = ${clean.line(fact.value).slice(0, 60)}`;
  } else if (fact.shape?.length && fact.bytes !== null) {
    text += `, ${figures.size(fact.bytes)}`;
  }
  return clean.line(text + (fact.mutated ? ', changed in place' : ''));
}

/** Returns what to say of a comparison that was stopped, "" where it is complete. */
export function interruption(record: JitmagicRecord): string {
  if (record.status !== 'interrupted') {
    return '';
  }
  return `Interrupted after ${figures.duration(record.elapsed)}: what was done by then is shown.`;
}

/** Returns the recommendation's sentence, and what there is to know of it, one sentence each. */
export function advice(record: JitmagicRecord): [string, string[]] {
  const given = record.recommendation;
  if (!given) {
    const why = record.status === 'interrupted' ? 'it was interrupted' : 'there is no evidence for one';
    return [`No recommendation: ${why}.`, []];
  }
  const told = [...given.conditions];
  if (given.costs?.length) {
    told.push(`It costs: ${given.costs.join('; ')}.`);
  }
  if (given.runner_up) {
    told.push(`Next best: ${given.runner_up.sentence}`);
  }
  if (given.common) {
    told.push(given.common);
  }
  told.push(...(given.algorithm ?? []));
  return [clean.line(given.sentence), told.map(clean.line)];
}
