/**
 * What the view may ask of the page that it is drawn in: a JupyterLab renderer, a widget, a plain page.
 *
 * Every callback is optional, and what is not given is not offered: a reopened notebook without a kernel gives no
 * `use`, so that there is no *Use it* button.
 */

export interface ViewHost {
  /** Puts text on the clipboard. Without it the browser's own clipboard is used, where there is one. */
  copy?: (text: string) => void | Promise<void>;
  /** Inserts source as a new cell below the result. */
  insertBelow?: (source: string) => void | Promise<void>;
  /** Binds the named variant's function in the session, to the user's own name for it. */
  use?: (variantName: string) => void | Promise<void>;
  /** Shows the page of a gotcha's code. */
  explain?: (code: string) => void;
  /** Moves to a line (from 1) of the user's cell. */
  goToLine?: (line: number) => void;
  /**
   * Draws a Bokeh `json_item` into a node, and returns what takes it away again. Rejects where BokehJS is missing or of
   * another version than the item: the view then keeps its own chart. Give it only for outputs that are trusted, since
   * a Bokeh document may hold scripts.
   */
  embedBokeh?: (node: HTMLElement, item: BokehItem) => Promise<(() => void) | void>;
  /** The charts that came with the record; none in a record that was read from a file. */
  charts?: Charts | null;
  /** Asks the running comparison to stop and to keep what is done. Only used by the view of the progress. */
  stop?: () => void | Promise<void>;
  /** Draws the result folded to its recommendation, for where another output shows it whole. */
  folded?: boolean;
}

/** What Python's `bokeh.embed.json_item` returns. */
export interface BokehItem {
  target_id: string | null;
  root_id: string;
  doc: { version: string; [key: string]: unknown };
  version?: string;
  [key: string]: unknown;
}

/** The content of the media type `application/vnd.jitmagic.charts.v1+json`. */
export interface Charts {
  schema: 'jitmagic-charts/v1';
  /** Version of the bokeh that made them. */
  bokeh: string;
  /** Bokeh items as JSON text, by name: "speed", "speed-log", "sizes". */
  items: { [name: string]: string };
}
