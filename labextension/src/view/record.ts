/** The record as the view reads it; the contract is `jitmagic/report/schema/v1.json`. */

export const MIME = 'application/vnd.jitmagic.v1+json';
export const CHARTS_MIME = 'application/vnd.jitmagic.charts.v1+json';
export const PROGRESS_MIME = 'application/vnd.jitmagic.progress.v1+json';

export interface Interval {
  median: number;
  low: number;
  high: number;
}

export interface Clock extends Interval {
  samples: number;
  calls?: number;
  outliers?: number;
}

export type ClockName = 'build' | 'to_device' | 'to_host' | 'run' | 'enqueue' | 'on_device' | 'end_to_end';

export interface Variant {
  name: string;
  backend: string;
  device: string;
  mode: string;
  verdict: string;
  reason: string;
  next_step: string;
  source: string;
  entry: string | null;
  needs: string[];
  verified: boolean | null;
  error: { max_abs: number | null; max_rel: number | null; where: string | null } | null;
  /** Against NumPy on the same machine. */
  speedup?: Interval | null;
  /** In how many processes, one after the other, it was timed. */
  processes?: number;
  /** The other machine that it ran on; null or absent for this one. */
  machine?: string | null;
  /** For a variant of another machine: against NumPy on this one. */
  across?: Interval | null;
  clocks: Record<ClockName, Clock | null>;
  build_cache: string | null;
  memory: { host_peak: number | null; device_peak: number | null };
  threads: number | null;
  break_even_calls: number | null;
  form: string | null;
  tried: { form: string; run: number | null }[];
  notes: string[];
  /** What a verified variant did with other arguments; absent where it was not probed. */
  probes?: Probe[];
  /** How near it is to what the machine can do, as shares; null or absent where that cannot be said. */
  limits?: { bandwidth: number | null; operations: number | null; counted_by: string | null; rate: number | null } | null;
}

/** What disturbed the machine while the clock ran; null for what the system does not tell. */
export interface Noise {
  seconds: number;
  cpus: number;
  cpu_limit: number | null;
  others: number | null;
  steal: number | null;
  throttled: number | null;
  heat: number | null;
  frequency: { before: number; after: number; most: number | null } | null;
  governor: string | null;
  battery: number | null;
  gpus: {
    name: string;
    clock_before: number | null;
    clock_after: number | null;
    clock_most: number | null;
    slowed: string[];
    processes: number | null;
  }[];
}

export interface Probe {
  name: string;
  arguments: string;
  outcome: string;
  kind: string;
  detail: string;
  snippet: string;
}

export interface Gotcha {
  code: string;
  backend: string;
  severity: string;
  status: string;
  line: number | null;
  column: number | null;
  end_line: number | null;
  end_column: number | null;
  message: string;
  fix: string;
  handled: boolean;
  link: string;
  /** The package whose rule it is, with its version; null or absent for jitmagic's own. */
  origin?: string | null;
}

export interface Value {
  name: string;
  kind: string;
  dtype: string | null;
  shape: (number | null)[] | null;
  bytes: number | null;
  mutated: boolean;
  value: string | number | boolean | null;
}

export interface SweepSeries {
  name: string;
  device: string;
  run: (Interval | null)[];
  growth: Interval | null;
}

/** This run against the one before. */
export interface Previous {
  created: string;
  cautions: string[];
  differences: { what: string; before: string; now: string }[];
  variants: { name: string; device: string; change: string; ratio: Interval | null }[];
}

export interface Sweep {
  parameter: string;
  meaning: string;
  n: number[];
  series: SweepSeries[];
  crossovers: { variant: string; over: string; n: number; low: number | null; high: number | null }[];
  notes: string[];
}

/** A derivative by an argument, or the function for each slice of it. */
export interface Transform {
  kind: string;
  argument: string;
  axis: number | null;
  function: string;
  baseline: string;
  uncertainty: number | null;
  baseline_error: number | null;
  entries: number | null;
  undecided: number;
  doubts: string[];
}

/** One device that was found. */
export interface Device {
  name: string;
  title: string;
  details?: string[];
  backends: string[];
}

/** One computer and its state. */
export interface Machine {
  system: string | null;
  release: string | null;
  architecture: string | null;
  processor: string | null;
  cores: number | null;
  threads: number | null;
  memory: number | null;
  python: string;
  load: number | null;
  noise?: Noise | null;
}

export interface JitmagicRecord {
  schema: string;
  created: string;
  jitmagic: string;
  status: string;
  elapsed: number;
  options: {
    backends: string[] | null;
    devices: string[] | null;
    budget: number | null;
    margin?: number | null;
    timeout: number | null;
    dtype: string | null;
    python?: { [backend: string]: string } | null;
    on?: string[] | null;
    transform?: string | null;
  };
  machine: Machine;
  devices: Device[];
  /** The other machines that variants ran on. */
  machines?: {
    name: string;
    address: string;
    machine: Machine;
    devices: Device[];
    libraries: { [name: string]: string };
    lost?: string | null;
  }[];
  libraries: { [name: string]: string };
  workload: {
    name: string;
    call: string;
    source: string;
    origin: string;
    lines: (number | null)[];
    arguments: Value[];
    result: Value | null;
    notes: string[];
  };
  baseline: Variant;
  variants: Variant[];
  gotchas: Gotcha[];
  recommendation: {
    variant: string | null;
    sentence: string;
    conditions: string[];
    /** What it costs, one phrase each. */
    costs?: string[];
    runner_up?: { variant: string; sentence: string };
    /** Where the measurement goes against what is commonly advised. */
    common?: string;
    /** Where another algorithm, or a library's own, would do better than any variant. */
    algorithm?: string[];
  } | null;
  sweep: Sweep | null;
  previous?: Previous | null;
  /** The derivative, or the batch, that was compared in the function's place. */
  transform?: Transform | null;
  /** What the machine can do at best, as measured: bytes and operations a second. */
  limits?: {
    traffic: number | null;
    bandwidth: number | null;
    threads: number | null;
    rate: number | null;
    dtype: string | null;
  } | null;
  /** Interpreters other than the session's own. */
  interpreters?: { backend: string; path: string; python: string; libraries: { [name: string]: string } }[];
  warnings: string[];
}
