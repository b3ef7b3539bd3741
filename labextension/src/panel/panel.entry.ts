/** The widget of `jitmagic/report/panel.py`: the view, fed from a kernel by anywidget. */

import {
  embedWith,
  renderProgress,
  renderRecord,
  type BokehItem,
  type BokehJS,
  type Charts,
  type JitmagicRecord,
  type ProgressState,
  type ViewHost
} from '../view';
import { enhance } from './enhance';
import { interrupter } from './server';

/** What is used of anywidget's model. */
interface Model {
  get(name: string): unknown;
  on(event: string, listener: (...given: never[]) => void): void;
  off(event: string, listener: (...given: never[]) => void): void;
  send(content: unknown): void;
  /** The comm to the kernel; ended or absent where there is none. */
  comm_live?: boolean;
  widget_manager?: unknown;
}

interface Message {
  type: string;
  charts?: Charts;
  id?: number;
  error?: string | null;
}

/** Seconds that the kernel is waited for: it may be busy with the next cells. */
const PATIENCE = { use: 20, bokeh: 3600 };

/** By the panel's mark. They come as messages, before the record does. */
const charts = new Map<string, Charts>();
/** BokehJS as the kernel sent it, until it is needed. */
let sent: DataView | null = null;
let bokeh: Promise<BokehJS> | null = null;
let asked = 0;

/** Draws the result wherever its static form stands, as soon as there is one. */
function initialize({ model }: { model: Model }): () => void {
  let end: (() => void) | null = null;
  const start = (): void => {
    const record = resultOf(model);
    if (record && model.get('marked') && !end) {
      end = enhance(String(model.get('mark')), place => renderRecord(place, record, hostOf(model)));
    }
  };
  const received = (message: Message, buffers: DataView[]): void => {
    if (message.type === 'charts' && message.charts) {
      charts.set(String(model.get('mark')), message.charts);
      if (buffers?.length) {
        sent = buffers[0];
      }
    }
  };
  model.on('msg:custom', received as never);
  model.on('change:record', start);
  start();
  return () => {
    model.off('msg:custom', received as never);
    model.off('change:record', start);
    charts.delete(String(model.get('mark')));
    end?.();
  };
}

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  let dispose: () => void = () => undefined;
  let stop: (() => Promise<void>) | undefined;

  const draw = (): void => {
    const record = resultOf(model);
    const state = model.get('progress') as ProgressState | null;
    if (record) {
      dispose();
      dispose = renderRecord(el, record, hostOf(model));
    } else if (state?.schema) {
      dispose = renderProgress(el, state, { stop });
    }
  };

  const names = ['change:record', 'change:progress'];
  names.forEach(name => model.on(name, draw));
  draw();
  void interrupter(String(model.get('kernel') ?? '')).then(found => {
    stop = found ?? undefined;
    draw();
  });
  return () => {
    names.forEach(name => model.off(name, draw));
    dispose();
  };
}

function resultOf(model: Model): JitmagicRecord | null {
  const text = model.get('record') as string;
  return text ? (JSON.parse(text) as JitmagicRecord) : null;
}

/** What the page can do for a result: without a kernel neither charts nor *Use it*. */
function hostOf(model: Model): ViewHost {
  const host: ViewHost = { charts: charts.get(String(model.get('mark'))) ?? null };
  if (model.comm_live !== false) {
    host.embedBokeh = async (node: HTMLElement, item: BokehItem) => embedWith(await loaded(model), node, item);
    if (model.get('can_use')) {
      host.use = name => answered(model, { type: 'use', variant: name });
    }
  }
  return host;
}

/** Sends a request and waits for its answer. */
function answered(model: Model, content: { type: string; [name: string]: unknown }): Promise<void> {
  const id = ++asked;
  return waitFor(model, message => message.type === 'answer' && message.id === id, { ...content, id }, PATIENCE.use).then(
    ([message]) => {
      if (message.error) {
        throw new Error(message.error);
      }
    }
  );
}

function waitFor(
  model: Model,
  fits: (message: Message) => boolean,
  request: unknown,
  seconds: number
): Promise<[Message, DataView[]]> {
  return new Promise((resolve, reject) => {
    const listener = (message: Message, buffers: DataView[]): void => {
      if (fits(message)) {
        end();
        resolve([message, buffers]);
      }
    };
    const timer = setTimeout(() => {
      end();
      reject(new Error('the kernel is busy, and does it when it is free'));
    }, 1000 * seconds);
    const end = (): void => {
      clearTimeout(timer);
      model.off('msg:custom', listener as never);
    };
    model.on('msg:custom', listener as never);
    model.send(request);
  });
}

/** Returns BokehJS, once a page; the kernel is asked where it has not sent it. */
function loaded(model: Model): Promise<BokehJS> {
  bokeh ??= sent
    ? Promise.resolve(sent).then(run)
    : waitFor(model, message => message.type === 'bokeh', { type: 'bokeh' }, PATIENCE.bokeh).then(([, [script]]) =>
        run(script)
      );
  bokeh.catch(() => (bokeh = null));
  return bokeh;
}

/** Runs BokehJS without leaving a name on the page: another Bokeh that is there stays what it is. */
function run(script: DataView): BokehJS {
  const root: { Bokeh?: BokehJS } = {};
  new Function(new TextDecoder().decode(script)).call(root);
  if (!root.Bokeh) {
    throw new Error('the file that the kernel sent is no BokehJS');
  }
  return root.Bokeh;
}

export default { initialize, render };
