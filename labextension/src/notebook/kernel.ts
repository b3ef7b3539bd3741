// What is asked of the kernel. Everything here runs on a click of the user and at no other time.

import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel, KernelMessage } from '@jupyterlab/services';

/** What `jitmagic.devices.detect` finds. */
export interface Detected {
  machine: { [name: string]: string | number | null };
  devices: { name: string; title: string; details: string[]; backends: string[] }[];
  backends: {
    name: string;
    title: string;
    installed: boolean;
    versions: { [name: string]: string };
    devices: string[];
    lacks: { device: string; reason: string; remedy: string | null }[];
    reason: string | null;
    remedy: string | null;
  }[];
  notes: string[];
}

/** Returns the kernel of a notebook; throws a sentence where there is none that can run Python. */
export function kernelOf(context: ISessionContext): Kernel.IKernelConnection {
  const kernel = context.session?.kernel;
  if (!kernel) {
    throw new Error('This notebook has no running kernel. Start one with Kernel → Restart Kernel.');
  }
  return kernel;
}

/** Asks for devices and backends. */
export async function detect(context: ISessionContext): Promise<Detected> {
  const found = await evaluated(context, "__import__('jitmagic.devices', fromlist=['devices']).detect()");
  return found as Detected;
}

/** Asks for the page of a gotcha. */
export async function explain(context: ISessionContext, code: string): Promise<string> {
  if (!isGotchaCode(code)) {
    throw new Error('This is no code of a gotcha.');
  }
  const module = "__import__('jitmagic.gotchas.registry', fromlist=['registry'])";
  return ((await evaluated(context, `[${module}.explain('${code}')]`)) as string[])[0];
}

/** Says whether a text can be the code of a gotcha: what is no such text is never put into an expression. */
export function isGotchaCode(code: string): boolean {
  return /^[A-Z][A-Z0-9-]{1,40}$/.test(code);
}

/** Loads the extension into IPython, if it is not loaded already. */
export async function loadExtension(context: ISessionContext): Promise<void> {
  await evaluated(context, "[get_ipython().extension_manager.load_extension('jitmagic')]");
}

/**
 * Evaluates an expression of plain values in the kernel; nothing of it is left there or in the history.
 *
 * IPython's JSON display object carries the value, since an expression's answer is otherwise its `repr`.
 */
async function evaluated(context: ISessionContext, expression: string): Promise<unknown> {
  const future = kernelOf(context).requestExecute({
    code: '',
    silent: true,
    store_history: false,
    allow_stdin: false,
    user_expressions: { answer: `__import__('IPython.display', fromlist=['JSON']).JSON(${expression})` }
  });
  const { content } = await future.done;
  if (content.status !== 'ok') {
    throw new Error('The kernel was interrupted or restarted before it answered.');
  }
  const answer = (content as KernelMessage.IReplyOkContent & { user_expressions: { [name: string]: any } })
    .user_expressions.answer;
  if (answer.status !== 'ok') {
    throw new Error(explained(String(answer.ename), String(answer.evalue)));
  }
  const value = answer.data['application/json'];
  if (value === undefined) {
    throw new Error('The kernel gave no answer that can be read.');
  }
  return value;
}

function explained(name: string, value: string): string {
  if (name === 'ModuleNotFoundError' && value.includes('jitmagic')) {
    return 'jitmagic is not installed for the Python of this kernel. Install it there: %pip install jitmagic';
  }
  if (name === 'NameError' && (value.includes('get_ipython') || value.includes('__import__'))) {
    return 'This kernel is not IPython: jitmagic works in Python notebooks.';
  }
  return `The kernel answered with ${name}: ${value}`;
}
