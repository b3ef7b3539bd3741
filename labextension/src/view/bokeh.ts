/** Draws a Bokeh item with the BokehJS that a page has; nothing of Bokeh is part of this view. */

import type { BokehItem } from './host';

/** What is used of BokehJS, however it came to the page. */
export interface BokehJS {
  version: string;
  embed: { embed_item: (item: never, target: never) => Promise<unknown> };
}

/**
 * Draws an item into a node, and returns what takes it away.
 *
 * @throws Error where BokehJS is of another minor version than the bokeh that made the item: it might draw it wrongly,
 * or show an error in its place.
 */
export async function embedWith(bokeh: BokehJS, node: HTMLElement, item: BokehItem): Promise<() => void> {
  const made = item.doc?.version ?? item.version ?? '';
  if (minor(bokeh.version) !== minor(made)) {
    throw new Error(`the chart was made by bokeh ${made}, and BokehJS here is ${bokeh.version}`);
  }
  const views = (await bokeh.embed.embed_item(item as never, node as never)) as { clear?: () => void } | null;
  return () => {
    views?.clear?.();
    node.replaceChildren();
  };
}

function minor(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}
