/** Under what circumstances a result was measured, and how near it is to the machine's limits: as `circumstances.py`. */

import * as clean from './clean';
import * as figures from './figures';
import type { JitmagicRecord, Noise, Transform, Variant } from './record';
import * as rows from './rows';

/** Share of a limit from which on little is left to win. */
const NEAR = 0.7;
/** Seconds below which systems tell nothing of what disturbed them. */
const SHORTEST = 0.3;
/** Share below which the limit says nothing. */
const WORTH_SAYING = 0.4;

/** Returns a sentence for each timed variant that is near to a limit of the machine, the fastest first. */
export function near(record: JitmagicRecord): string[] {
  const found: string[] = [];
  for (const row of rows.rows(record)) {
    const told = row.timed ? nearest(record, row.variant) : null;
    if (!told || told[0] < WORTH_SAYING) {
      continue;
    }
    const [share, limit] = told;
    const left = `by this count about ${figures.figure(1 / share)} times its speed is the most there is`;
    found.push(`${row.label}: ${percent(share)} of ${limit}; ${share >= NEAR ? 'little is left to win' : left}.`);
  }
  return found;
}

function nearest({ limits }: JitmagicRecord, variant: Variant): [number, string] | null {
  const own = variant.limits;
  if (!limits || !own) {
    return null;
  }
  const found: [number, string][] = [];
  if (own.bandwidth !== null && limits.bandwidth !== null) {
    const measured = `${figures.size(limits.bandwidth)}/s`;
    found.push([own.bandwidth, `the memory bandwidth that was measured here (${measured})`]);
  }
  if (own.rate !== null && limits.rate !== null) {
    const measured = `${figures.figure(limits.rate / 1e9)} GFLOP/s`;
    found.push([own.rate, `the rate of matrix products that was measured here (${measured})`]);
  }
  return found.reduce<[number, string] | null>((best, one) => (best === null || one[0] > best[0] ? one : best), null);
}

/** Returns how much of the nearest limit a variant uses, '' where that says nothing. */
export function shares(record: JitmagicRecord, variant: Variant): string {
  const told = nearest(record, variant);
  return !told || told[0] < WORTH_SAYING ? '' : `${percent(told[0])} of ${told[1]}`;
}

/** Returns names and texts: what was compared in the function's place, what the machine did meanwhile, what it can do at best, others. */
export function facts(record: JitmagicRecord): [string, string][] {
  const found: [string, string][] = [];
  const { limits, transform } = record;
  if (transform) {
    found.push(...transformed(transform));
  }
  if (record.machine.noise) {
    found.push(['while the clock ran', noise(record.machine.noise)]);
  }
  if (limits && limits.bandwidth !== null) {
    found.push([
      'memory bandwidth',
      `${figures.size(limits.bandwidth)}/s read and written, by copying with ` +
        `${figures.plural(limits.threads ?? 1, 'thread')}; a call moves ${figures.size(limits.traffic)} at least`
    ]);
  }
  if (limits && limits.rate !== null) {
    const text = `${figures.figure(limits.rate / 1e9)} GFLOP/s in ${limits.dtype}, by NumPy's own product`;
    found.push(['matrix products', clean.line(text)]);
  }
  for (const one of record.interpreters ?? []) {
    const versions = Object.entries(one.libraries).map(([name, version]) => `${name} ${version}`);
    const text = `${one.backend} ran under ${one.path}: Python ${one.python}, ${versions.join(', ')}`;
    found.push(['interpreter', clean.line(text)]);
  }
  for (const one of record.machines ?? []) {
    const name = clean.line(one.name);
    const versions = Object.entries(one.libraries).map(([library, version]) => `${library} ${version}`);
    const told = [one.address, rows.computer(one.machine), versions.join(', ')].filter(Boolean).join('; ');
    found.push([`machine ${name}`, clean.line(told)]);
    found.push(...one.devices.map((device): [string, string] => [`device of ${name}`, rows.device(device)]));
    if (one.machine.noise) {
      found.push([`while the clock ran on ${name}`, noise(one.machine.noise)]);
    }
    if (one.lost) {
      found.push([`loss of ${name}`, clean.line(one.lost)]);
    }
  }
  return found;
}

/** Returns what was compared in the function's place, and how sure that is. */
function transformed(told: Transform): [string, string][] {
  const found: [string, string][] = [['baseline', clean.line(told.baseline)]];
  if (told.kind === 'vmap') {
    return found;
  }
  const parts: string[] = [];
  if (told.uncertainty !== null) {
    parts.push(
      `variants are held against extrapolated differences, which are sure to ${figures.figure(told.uncertainty)} of the ` +
        'largest entry'
    );
  }
  if (told.baseline_error !== null) {
    parts.push(`the baseline itself is off by ${figures.figure(told.baseline_error)}`);
  }
  if (told.undecided > 0) {
    parts.push(`of ${told.entries} entries ${told.undecided} cannot be checked, so that nothing is verified`);
  }
  found.push(['derivative', clean.line(parts.join('; '))]);
  found.push(...told.doubts.map((doubt): [string, string] => ['in doubt', clean.line(doubt)]));
  return found;
}

function noise(told: Noise): string {
  const parts: string[] = [];
  if (told.others !== null) {
    parts.push(`other processes kept ${figures.figure(told.others)} of ${told.cpus} CPUs busy`);
  }
  if (told.steal !== null) {
    parts.push(`the hypervisor took ${figures.figure(100 * told.steal)} % for other machines`);
  }
  if (told.cpu_limit !== null) {
    parts.push(`a limit of ${figures.figure(told.cpu_limit)} CPUs`);
  }
  if (told.throttled) {
    parts.push(`held back by it for ${figures.duration(told.throttled)}`);
  }
  if (told.frequency !== null) {
    parts.push(`the CPUs ran at ${figures.figure(told.frequency.after / 1e9)} GHz`);
  }
  if (told.governor) {
    parts.push(`governor ${told.governor}`);
  }
  if (told.heat) {
    parts.push(`slowed down for heat ${figures.plural(told.heat, 'time')}`);
  }
  if (told.battery !== null) {
    parts.push(`on battery, ${percent(told.battery)} left`);
  }
  for (const gpu of told.gpus) {
    const at = gpu.clock_after === null ? '' : ` at ${figures.figure(gpu.clock_after / 1e9)} GHz`;
    parts.push(`${gpu.name}${at}${gpu.slowed.map(words => `, ${words}`).join('')}`);
  }
  const nothing = told.seconds < SHORTEST ? 'too short to tell of' : 'this system tells nothing';
  return clean.line(`${figures.duration(told.seconds)}: ${parts.join('; ') || nothing}`);
}

function percent(share: number): string {
  return `${Math.floor(100 * share + 0.5)} %`;
}
