/** Puts a Bokeh chart into a node where the page can draw one, in the page's own colours. */

import type { BokehItem } from './host';
import type { Shown } from './result';

/** The greys that `report/charts.py` draws with, and what of the page takes their place. */
const INK = '#717479';
const DISPOSERS = new WeakMap<HTMLElement, () => void>();

/**
 * Draws the chart of a name; calls back with whether it is there.
 *
 * Whatever stands in the way (no chart in the record, no BokehJS, another version of it) leaves the node empty: the
 * view's own table says the same.
 */
export function bokehOr(node: HTMLElement, shown: Shown, name: string, done: (drawn: boolean) => void): void {
  const item = shown.host.charts?.items?.[name];
  const embed = shown.host.embedBokeh;
  clear(node);
  if (!item || !embed) {
    done(false);
    return;
  }
  const place = document.createElement('div');
  node.append(place);
  let gone = false;
  shown.onDispose(() => clear(node));
  // Drawn when it comes into sight: not before it has a place on the page, and not fifty at once in a long notebook.
  const watch = new IntersectionObserver(
    seen => {
      if (!seen.some(one => one.isIntersecting)) {
        return;
      }
      watch.disconnect();
      Promise.resolve()
        .then(() => embed(place, inked(item, node)))
        .then(
        dispose => {
          if (gone) {
            dispose?.();
            return;
          }
          DISPOSERS.set(node, () => {
            gone = true;
            dispose?.();
          });
          done(true);
        },
        error => {
          console.info('jitmagic: the table stands alone, since Bokeh cannot draw the chart here.', error);
          place.remove();
          done(false);
        }
      );
    },
    { rootMargin: '300px' }
  );
  DISPOSERS.set(node, () => {
    gone = true;
    watch.disconnect();
  });
  watch.observe(place);
}

function clear(node: HTMLElement): void {
  DISPOSERS.get(node)?.();
  DISPOSERS.delete(node);
  node.replaceChildren();
}

/** Returns the item with its ink in the colour of the text around it. */
function inked(item: string, node: HTMLElement): BokehItem {
  const [red, green, blue] = (getComputedStyle(node).color.match(/[\d.]+/g) ?? []).map(Number);
  if (blue === undefined) {
    return JSON.parse(item) as BokehItem;
  }
  const color = '#' + [red, green, blue].map(one => Math.round(one).toString(16).padStart(2, '0')).join('');
  return JSON.parse(item.replaceAll(`"${INK}"`, `"${color}"`)) as BokehItem;
}
