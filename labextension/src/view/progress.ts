/** A comparison on its way: a bar for each variant, the time that is left, and a button that stops it. */

import * as clean from './clean';
import { h } from './dom';
import type { ViewHost } from './host';
import { SIGNS } from './rows';
import { addStyle } from './style';

/** The content of the media type `application/vnd.jitmagic.progress.v1+json`. See `report/progress.py`. */
export interface ProgressState {
  schema: 'jitmagic-progress/v1';
  /** The call that is compared. */
  call: string;
  /** What is done now, in words, e.g. "compiling numba-parallel". */
  doing: string;
  /** Seconds that are left of the timing's budget; null before the timing. */
  seconds_left: number | null;
  variants: ProgressVariant[];
}

export interface ProgressVariant {
  label: string;
  /** "waiting", "writing", "compiling", "checking", "checked", "timing", or a verdict. */
  step: string;
  /** How far it is, 0 to 1. */
  share: number;
  /** The speedup by the rounds until now, e.g. "5.8× (5.6–6.0)". An older kernel says nothing of it. */
  so_far?: string | null;
}

const CALL = 160;
const NAME = 40;
const MOST = 40;
const DRAWN = new WeakMap<HTMLElement, Board>();

/**
 * Draws how far a comparison is; called again for the same node it changes what is there, so that a screen reader hears
 * only what is new and the focus stays on the button.
 */
export function renderProgress(node: HTMLElement, state: ProgressState, host: ViewHost = {}): () => void {
  let board = DRAWN.get(node);
  if (!board || board.root.parentNode !== node) {
    board = new Board();
    DRAWN.set(node, board);
    addStyle(node);
    node.replaceChildren(board.root);
  }
  board.show(state, host);
  const { root } = board;
  return () => {
    DRAWN.delete(node);
    root.remove();
  };
}

class Board {
  readonly root: HTMLElement;
  private readonly title = h('strong', {});
  private readonly left = h('span', { class: 'jm-faint jm-left' });
  private readonly said = h('span', { class: 'jm-hidden', role: 'status', 'aria-live': 'polite' });
  private readonly stop = h('button', { type: 'button', class: 'jm-button jm-stop' }, 'Stop') as HTMLButtonElement;
  private readonly how = h('span', { class: 'jm-faint' });
  private readonly list = h('div', { class: 'jm-progress', role: 'list' });
  private bars: { item: HTMLElement; name: HTMLElement; bar: HTMLElement; step: HTMLElement }[] = [];
  private host: ViewHost = {};
  private stopping = false;

  constructor() {
    this.stop.addEventListener('click', () => this.stopped());
    this.root = h(
      'section',
      { class: 'jitmagic', 'aria-label': 'jitmagic comparison in progress' },
      h('div', { class: 'jm-controls' }, this.title, this.left, this.stop, this.how),
      this.said,
      this.list
    );
  }

  show(state: ProgressState, host: ViewHost): void {
    this.host = host;
    this.title.textContent = `Comparing ${clean.cut(clean.line(state.call), CALL)}`;
    const { seconds_left } = state;
    this.left.textContent =
      seconds_left === null ? clean.line(state.doing) : `${clean.line(state.doing)}, about ${Math.ceil(seconds_left)} s left`;
    if (this.said.textContent !== clean.line(state.doing)) {
      this.said.textContent = clean.line(state.doing);
    }
    this.stop.hidden = !host.stop;
    this.stop.disabled = this.stopping;
    this.how.textContent = this.stopping
      ? 'Stopping: what is done is kept.'
      : host.stop
        ? ''
        : 'Interrupt the cell to stop: what is done is kept.';
    this.fill(state.variants.slice(0, MOST));
  }

  private fill(variants: ProgressVariant[]): void {
    while (this.bars.length > variants.length) {
      this.bars.pop()?.item.remove();
    }
    variants.forEach((variant, index) => {
      const { name, bar, step } = this.bars[index] ?? this.added();
      const share = Math.min(Math.max(Number(variant.share) || 0, 0), 1);
      const label = clean.cut(clean.line(variant.label), NAME);
      const word = clean.cut(clean.line(variant.step), NAME);
      const told = variant.so_far ? `${word}, so far ${clean.cut(clean.line(variant.so_far), NAME)}` : word;
      name.textContent = label;
      bar.setAttribute('aria-label', label);
      bar.setAttribute('aria-valuenow', String(Math.round(100 * share)));
      bar.setAttribute('aria-valuetext', told);
      (bar.firstElementChild as HTMLElement).style.width = `${(100 * share).toFixed(1)}%`;
      const sign = SIGNS[variant.step];
      bar.classList.toggle('jm-ended', Boolean(sign));
      step.textContent = sign ? `${sign} ${told}` : told;
    });
  }

  private added(): { item: HTMLElement; name: HTMLElement; bar: HTMLElement; step: HTMLElement } {
    const name = h('span', { class: 'jm-progress-name' });
    const bar = h(
      'span',
      { class: 'jm-progress-bar', role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100 },
      h('span', {})
    );
    const step = h('span', { class: 'jm-progress-step' });
    const item = h('div', { role: 'listitem', class: 'jm-progress-item' }, name, bar, step);
    this.list.append(item);
    const made = { item, name, bar, step };
    this.bars.push(made);
    return made;
  }

  private async stopped(): Promise<void> {
    this.stopping = true;
    this.stop.disabled = true;
    this.how.textContent = 'Stopping: what is done is kept.';
    try {
      await this.host.stop?.();
    } catch (error) {
      this.stopping = false;
      this.stop.disabled = false;
      this.how.textContent = `Stop did not reach the kernel: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
}
