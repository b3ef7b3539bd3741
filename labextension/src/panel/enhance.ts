/**
 * Draws live results in the place of static ones, on the page alone: what the notebook holds stays the static HTML.
 *
 * JupyterLab shows an error in place of a widget whose kernel is gone, so that no widget may be what a notebook saves.
 * The page is watched, since an output may be drawn anew at any time; where the static result is not reached (a page
 * that puts outputs into shadow trees), it simply stays.
 */

type Draw = (place: HTMLElement) => () => void;

const wanted = new Map<string, Draw>();
const drawn = new Map<Element, { place: HTMLElement; dispose: () => void }>();
let planned = false;

const watch = new MutationObserver(() => {
  if (!planned) {
    planned = true;
    requestAnimationFrame(() => {
      planned = false;
      look();
    });
  }
});

/** Draws wherever the static result with this mark stands; returns what gives the page back its static results. */
export function enhance(mark: string, draw: Draw): () => void {
  if (!wanted.size) {
    watch.observe(document.body, { childList: true, subtree: true });
  }
  wanted.set(mark, draw);
  look();
  return () => {
    wanted.delete(mark);
    if (!wanted.size) {
      watch.disconnect();
    }
    for (const section of document.getElementsByClassName(mark)) {
      restore(section);
    }
  };
}

function look(): void {
  for (const [section] of drawn) {
    if (!section.isConnected) {
      restore(section);
    }
  }
  for (const [mark, draw] of wanted) {
    for (const section of Array.from(document.getElementsByClassName(mark))) {
      if (!drawn.has(section)) {
        const place = document.createElement('div');
        section.after(place);
        try {
          drawn.set(section, { place, dispose: draw(place) });
          (section as HTMLElement).style.display = 'none';
        } catch (error) {
          console.error('jitmagic: the static result stays, since the live one could not be drawn', error);
          place.remove();
          wanted.delete(mark);
        }
      }
    }
  }
}

function restore(section: Element): void {
  const found = drawn.get(section);
  if (found) {
    drawn.delete(section);
    found.dispose();
    found.place.remove();
    (section as HTMLElement).style.display = '';
  }
}
