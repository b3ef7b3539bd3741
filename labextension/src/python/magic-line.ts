// The line of the magic that a comparison is started with. The options are those of `jitmagic/magic_options.py`.

/** What the form holds; null and an empty list leave the choice to jitmagic. */
export interface CompareOptions {
  backends: string[];
  devices: string[];
  budget: number | null;
  timeout: number | null;
  dtype: string | null;
}

export const NO_OPTIONS: CompareOptions = { backends: [], devices: [], budget: null, timeout: null, dtype: null };
export const DTYPES = ['float32', 'float64'];

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
  if (options.dtype !== null && !DTYPES.includes(options.dtype)) {
    return `The element type must be ${DTYPES.join(' or ')}.`;
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
  if (options.timeout !== null) {
    words.push('--timeout', String(options.timeout));
  }
  if (options.dtype !== null) {
    words.push('--dtype', options.dtype);
  }
  return [...words, call.trim()].join(' ');
}
