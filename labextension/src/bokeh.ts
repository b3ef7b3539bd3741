// BokehJS as the extension carries it: a file of its own, fetched from the Jupyter server when the first chart is seen.

import { embedWith, type BokehItem, type BokehJS } from './view';

let loaded: Promise<BokehJS> | null = null;

/** Draws a chart; rejects where bokeh made it in another version. */
export async function embedBokeh(node: HTMLElement, item: BokehItem): Promise<() => void> {
  loaded ??= import('@bokeh/bokehjs/build/js/bokeh.esm.min.js').then(module => module.default);
  return embedWith(await loaded, node, item);
}
