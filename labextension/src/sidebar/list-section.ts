// The comparisons of the open notebook with their verdicts.

import { showErrorMessage } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { insertBelow, showCell } from '../notebook/cells';
import type { Entry } from '../notebook/outputs';
import type { Watches } from '../notebook/watches';
import { cut, line } from '../view/clean';
import { h } from '../view/dom';
import { plural, speedup } from '../view/figures';
import type { JitmagicRecord, Variant } from '../view/record';
import { advice, BUT, isRightOnlyHere, isTimed, rows, SIGNS, type Row } from '../view/rows';
import { Section } from './section';
import { where } from './where';

const CALL = 80;
const NAME = 40;

/** Opens two runs side by side; `a` is the older one. */
export type OpenTwoRuns = (a: JitmagicRecord, b: JitmagicRecord) => void;

export class ListSection extends Section {
  constructor(
    private readonly _watches: Watches,
    private readonly _openTwo: OpenTwoRuns
  ) {
    super('This notebook', 'list', true);
    this._compare.addEventListener('click', () => this._openChosen());
    this.body.append(this._empty, this._items, this._bar);
    this._bar.append(this._chosenText, this._compare);
    _watches.tracker.currentChanged.connect(() => {
      this._chosen.clear();
      this.refresh();
    });
  }

  protected draw(): void {
    performance.mark('jitmagic:list:begin');
    const watch = this._watches.current;
    const entries = watch?.entries() ?? [];
    const kept = new Set(entries.map(entry => entry.record));
    [...this._chosen].filter(record => !kept.has(record)).forEach(record => this._chosen.delete(record));
    this._empty.hidden = entries.length > 0;
    this._empty.textContent = watch
      ? 'No comparison yet. Each one that the notebook holds is listed here.'
      : 'Open a notebook to see its comparisons.';
    const elements = watch ? entries.map(entry => this._itemOf(watch.panel, entry)) : [];
    // what is there already stays in the page: the focus and what is unfolded stay with it
    if (
      elements.length !== this._items.children.length ||
      elements.some((each, i) => this._items.children[i] !== each)
    ) {
      this._items.replaceChildren(...elements);
    }
    this._drawBar();
    performance.measure('jitmagic:list', 'jitmagic:list:begin');
  }

  private _itemOf(panel: NotebookPanel, entry: Entry): HTMLElement {
    const place = where(panel, entry.cell);
    const made = this._made.get(entry.record);
    if (made && made.place === place) {
      return made.element;
    }
    const element = this._item(panel, entry, place);
    this._made.set(entry.record, { place, element });
    return element;
  }

  private _item(panel: NotebookPanel, entry: Entry, place: string): HTMLElement {
    const { record, cell } = entry;
    const call = cut(line(record.workload.call), CALL);
    const choice = h('input', {
      type: 'checkbox',
      title: 'Choose two runs to compare them',
      'aria-label': `Choose ${call} ${place} to compare two runs`,
      onchange: () => {
        if (choice.checked) {
          this._chosen.add(record);
        } else {
          this._chosen.delete(record);
        }
        this._drawBar();
      }
    }) as HTMLInputElement;
    choice.checked = this._chosen.has(record);
    const [sentence] = advice(record);
    const go = h(
      'button',
      {
        type: 'button',
        class: 'jp-jitmagic-go',
        title: sentence,
        onclick: () => void attempt(() => showCell(panel, cell))
      },
      h('span', { class: 'jp-jitmagic-call' }, call),
      h('span', { class: 'jp-jitmagic-place' }, place),
      h('span', { class: 'jp-jitmagic-best' }, ...best(record))
    );
    const details = h('details', {}, h('summary', {}, summary(record))) as HTMLDetailsElement;
    details.addEventListener('toggle', () => {
      if (details.open && details.childElementCount === 1) {
        details.append(this._variants(panel, entry));
      }
    });
    return h('li', {}, choice, go, details);
  }

  private _variants(panel: NotebookPanel, { cell, record }: Entry): HTMLElement {
    return h(
      'ul',
      { class: 'jp-jitmagic-variants' },
      ...rows(record).map(row =>
        h(
          'li',
          { title: row.reason },
          sign(row),
          h('span', { class: 'jp-jitmagic-label' }, cut(row.label, NAME)),
          h('span', { class: 'jp-jitmagic-figure' }, row.timed ? row.speedup : row.verdict),
          row.variant.source && !row.baseline
            ? h(
                'button',
                {
                  type: 'button',
                  class: 'jp-jitmagic-link',
                  title: `Insert the source of ${cut(row.label, NAME)} as a cell below`,
                  onclick: () => void attempt(() => insertBelow(panel, cell, row.variant.source))
                },
                'insert'
              )
            : h('span', {})
        )
      )
    );
  }

  private _drawBar(): void {
    const count = this._chosen.size;
    this._bar.hidden = count === 0;
    this._chosenText.textContent = count === 2 ? '' : count < 2 ? 'Choose a second run.' : 'Choose two runs only.';
    this._compare.disabled = count !== 2;
  }

  private _openChosen(): void {
    const [a, b] = [...this._chosen].sort((one, other) => Date.parse(one.created) - Date.parse(other.created));
    if (a && b) {
      this._openTwo(a, b);
    }
  }

  private readonly _chosen = new Set<JitmagicRecord>();
  private readonly _made = new WeakMap<JitmagicRecord, { place: string; element: HTMLElement }>();
  private readonly _empty = h('p', { class: 'jp-jitmagic-faint' });
  private readonly _items = h('ul', { class: 'jp-jitmagic-items', 'aria-label': 'Comparisons of this notebook' });
  private readonly _bar = h('div', { class: 'jp-jitmagic-bar' });
  private readonly _chosenText = h('span', { class: 'jp-jitmagic-faint', role: 'status' });
  private readonly _compare = h(
    'button',
    { type: 'button', class: 'jp-mod-styled' },
    'Compare the two runs'
  ) as HTMLButtonElement;
}

/** The advice in a few words: the recommended variant with its speedup. Only what is shown is worked out. */
function best(record: JitmagicRecord): (HTMLElement | string)[] {
  const name = record.recommendation?.variant ?? null;
  const ratio = (variant: Variant) => variant.speedup?.median ?? 1;
  const [chosen] = [record.baseline, ...record.variants]
    .filter(variant => variant.name === name && variant.verified === true && isTimed(variant))
    .sort((a, b) => ratio(b) - ratio(a));
  if (!chosen) {
    return [h('span', { class: 'jp-jitmagic-faint' }, 'no advice')];
  }
  const character = sign({ sign: isRightOnlyHere(chosen) ? BUT : SIGNS[chosen.verdict], verdict: chosen.verdict });
  if (chosen.verdict === 'baseline' || !chosen.speedup) {
    return [character, 'stay with NumPy'];
  }
  const [times, interval] = speedup(chosen.speedup);
  return [
    character,
    `${cut(line(chosen.name), NAME)} ${times} `,
    interval && h('span', { class: 'jp-jitmagic-faint' }, `(${interval})`)
  ].filter(part => part !== '');
}

function summary(record: JitmagicRecord): string {
  const pressing = record.gotchas.filter(each => !each.handled && each.status !== 'not seen with these inputs').length;
  const parts = [plural(record.variants.length, 'variant')];
  if (pressing > 0) {
    parts.push(plural(pressing, 'gotcha'));
  }
  if (record.status === 'interrupted') {
    parts.push('interrupted');
  }
  return parts.join(', ');
}

export function sign({ sign: character, verdict }: Pick<Row, 'sign' | 'verdict'>): HTMLElement {
  const but = character === BUT;
  const told = but ? `${verdict} here, but wrong with other arguments` : verdict;
  return h(
    'span',
    {
      class: 'jp-jitmagic-sign',
      'data-verdict': but ? 'differs' : verdict,
      role: 'img',
      'aria-label': told,
      title: told
    },
    character
  );
}

async function attempt(task: () => Promise<unknown>): Promise<void> {
  try {
    await task();
  } catch (error) {
    await showErrorMessage('This could not be done', error as Error);
  }
}
