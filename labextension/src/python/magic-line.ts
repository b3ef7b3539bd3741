// The line of the magic that a comparison is started with. The options are those of `jitmagic/magic/options.py`.

/** What the form holds; null and an empty list leave the choice to jitmagic. */
export interface CompareOptions {
  backends: string[];
  devices: string[];
  budget: number | null;
  /** Per cent to which every speedup is to be known. */
  margin: number | null;
  timeout: number | null;
  dtype: string | null;
  /** Numbers of CPU threads, and `all`. */
  threads: string[];
  /** Sizes to measure too, e.g. `n=1e3:1e7:9`. */
  sweep: string | null;
  cold: boolean;
  /** For how many calls to recommend. */
  calls: number | null;
  gradients: boolean;
  /** Where it will run: one of `PLACES`. */
  deploy: string | null;
  simple: boolean;
  /** What is compared in the function's place: one of `TRANSFORMS`, and the argument that it is for. */
  transform: string | null;
  argument: string;
  /** Addresses of other machines. */
  on: string[];
}

export const NO_OPTIONS: CompareOptions = {
  backends: [],
  devices: [],
  budget: null,
  margin: null,
  timeout: null,
  dtype: null,
  threads: [],
  sweep: null,
  cold: false,
  calls: null,
  gradients: false,
  deploy: null,
  simple: false,
  transform: null,
  argument: '',
  on: []
};
export const TRANSFORMS = ['grad', 'jacobian', 'hessian', 'vmap'];
export const PLACES = ['cpu', 'gpu', 'tpu'];
export const MOST_MARGIN = 50;
export const DTYPES = ['float32', 'float64'];

const THREADS = /^(all|[1-9]\d{0,3})$/;
/** A name, and sizes without a space between them; what they mean is read by the kernel's side. */
const SWEEP = /^[\p{L}_][\p{L}\p{N}_]*=[0-9][0-9eE+.,:]*$/u;
const ARGUMENT = /^[\p{L}_][\p{L}\p{N}_]*$/u;
const BATCH = /^[\p{L}_][\p{L}\p{N}_]*(:-?[0-9]{1,2})?$/u;
const ADDRESS = /^(ssh|tcp|tls):\/\/[^\s,'"]+$/;
const NAME = /^[\p{L}\p{N}_.:-]+$/u;

/** Says what cannot be written on the line; null where everything can. */
export function optionsProblem(options: CompareOptions): string | null {
  for (const [what, names] of [
    ['backend', options.backends],
    ['device', options.devices]
  ] as const) {
    const odd = names.find(name => !NAME.test(name) || name.startsWith('-'));
    if (odd !== undefined) {
      return `“${odd}” is no name of a ${what}.`;
    }
  }
  for (const what of ['budget', 'timeout'] as const) {
    const seconds = options[what];
    if (seconds !== null && !(Number.isFinite(seconds) && seconds > 0)) {
      return `The ${what} must be a number of seconds above 0.`;
    }
  }
  const { margin } = options;
  if (margin !== null && !(Number.isFinite(margin) && margin > 0 && margin <= MOST_MARGIN)) {
    return `The margin must be a number of per cent above 0, at most ${MOST_MARGIN}.`;
  }
  if (options.dtype !== null && !DTYPES.includes(options.dtype)) {
    return `The element type must be ${DTYPES.join(' or ')}.`;
  }
  const count = options.threads.find(each => !THREADS.test(each));
  if (count !== undefined) {
    return `“${count}” is no number of threads: write e.g. 1, all.`;
  }
  if (options.sweep !== null && !SWEEP.test(options.sweep)) {
    return `“${options.sweep}” is no sweep: write a variable of the set-up with its sizes, e.g. n=1e3:1e6:7 or n=100,1000.`;
  }
  if (options.calls !== null && !(Number.isSafeInteger(options.calls) && options.calls > 0)) {
    return 'The number of calls must be a whole number above 0.';
  }
  if (options.transform !== null && !TRANSFORMS.includes(options.transform)) {
    return `There is no ${options.transform}: choose ${TRANSFORMS.join(', ')}.`;
  }
  if (options.transform !== null && !(options.transform === 'vmap' ? BATCH : ARGUMENT).test(options.argument)) {
    const example = options.transform === 'vmap' ? 'x, or x:1 for another axis' : 'x';
    return `“${options.argument}” is no argument of the function: write its name, e.g. ${example}.`;
  }
  if (options.transform !== null && options.sweep !== null) {
    return 'A derivative or a batch is for one size: leave the other sizes out.';
  }
  const address = options.on.find(each => !ADDRESS.test(each));
  if (address !== undefined) {
    return `“${address}” is no address: write e.g. ssh://gpu1, or a Dask scheduler's, tcp://10.0.0.5:8786.`;
  }
  if (options.deploy !== null && !PLACES.includes(options.deploy)) {
    return `It can be meant for ${PLACES.join(' or ')}.`;
  }
  return null;
}

/** Writes the line, e.g. `%jitcompare -b numba,jax --budget 5 fn(x)`; throws where the options cannot be written. */
export function magicLine(options: CompareOptions, call: string): string {
  const problem = optionsProblem(options);
  if (problem) {
    throw new Error(problem);
  }
  const words = ['%jitcompare'];
  if (options.backends.length > 0) {
    words.push('-b', options.backends.join(','));
  }
  if (options.devices.length > 0) {
    words.push('-d', options.devices.join(','));
  }
  if (options.budget !== null) {
    words.push('--budget', String(options.budget));
  }
  if (options.margin !== null) {
    words.push('--margin', String(options.margin));
  }
  if (options.timeout !== null) {
    words.push('--timeout', String(options.timeout));
  }
  if (options.dtype !== null) {
    words.push('--dtype', options.dtype);
  }
  if (options.threads.length > 0) {
    words.push('--threads', options.threads.join(','));
  }
  if (options.sweep !== null) {
    words.push('--sweep', options.sweep);
  }
  if (options.cold) {
    words.push('--cold');
  }
  if (options.calls !== null) {
    words.push('--calls', String(options.calls));
  }
  if (options.gradients) {
    words.push('--need', 'gradients');
  }
  if (options.deploy !== null) {
    words.push('--deploy', options.deploy);
  }
  if (options.simple) {
    words.push('--keep', 'simple');
  }
  if (options.transform !== null) {
    words.push(`--${options.transform}`, options.argument);
  }
  for (const address of options.on) {
    words.push('--on', address);
  }
  return [...words, call.trim()].join(' ');
}
