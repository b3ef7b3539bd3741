// Follows what a notebook's model holds: its comparisons, their progress, and the places of their gotchas.
//
// Nothing is asked of the kernel: outputs come and go in the model, and the model tells.

import type { ICodeCellModel } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';
import { placed, type Placed } from '../record/places';
import type { ProgressState } from '../view';
import { entriesOf, progressOf, type Entry } from './outputs';

/** What happened: cells came, went or moved, outputs changed, or text was edited. */
export interface Change {
  /** The cells whose outputs are others now. */
  outputs: Set<ICodeCellModel>;
  /** The cells whose text is another now. */
  texts: Set<ICodeCellModel>;
  /** Whether cells came, went or moved. */
  cells: boolean;
}

export class NotebookWatch implements IDisposable {
  constructor(readonly panel: NotebookPanel) {
    panel.disposed.connect(() => this.dispose());
    void panel.context.ready.then(() => {
      if (!this._disposed) {
        panel.content.modelChanged.connect(this._begin, this);
        this._begin();
      }
    });
  }

  /** Emitted a moment after something changed, once for all that changed together. */
  get changed(): ISignal<this, Change> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    if (!this._disposed) {
      this._disposed = true;
      clearTimeout(this._timer);
      Signal.clearData(this);
    }
  }

  /** The code cells in their order. */
  codeCells(): ICodeCellModel[] {
    const { model } = this.panel.content;
    return model ? [...model.cells].filter((cell): cell is ICodeCellModel => cell.type === 'code') : [];
  }

  /** The comparisons in the order of their cells. */
  entries(): Entry[] {
    return this.codeCells().flatMap(cell => this._entriesOf(cell));
  }

  /** The comparison that runs, with its cell; null where none does. */
  running(): { cell: ICodeCellModel; state: ProgressState } | null {
    for (const cell of this.codeCells()) {
      const state = progressOf(cell);
      if (state) {
        return { cell, state };
      }
    }
    return null;
  }

  /** The gotchas of all comparisons, with the source that they stand in. */
  placed(): Placed[] {
    return this.entries().flatMap(({ record }) => {
      let found = this._placed.get(record);
      if (!found) {
        found = placed(record);
        this._placed.set(record, found);
      }
      return found;
    });
  }

  private _entriesOf(cell: ICodeCellModel): Entry[] {
    let found = this._entries.get(cell);
    if (!found) {
      found = entriesOf(cell);
      this._entries.set(cell, found);
    }
    return found;
  }

  private _begin(): void {
    const { model } = this.panel.content;
    if (model) {
      model.cells.changed.connect(this._onCells, this);
      this._onCells();
    }
  }

  private _onCells(): void {
    for (const cell of this.codeCells()) {
      if (!this._followed.has(cell)) {
        this._followed.add(cell);
        cell.outputs.changed.connect(() => this._onOutputs(cell));
        cell.contentChanged.connect(() => this._note(change => change.texts.add(cell)));
        this._note(change => change.outputs.add(cell));
      }
    }
    this._note(change => (change.cells = true));
  }

  private _onOutputs(cell: ICodeCellModel): void {
    this._entries.delete(cell);
    this._note(change => change.outputs.add(cell));
  }

  private _note(add: (change: Change) => void): void {
    if (this._disposed) {
      return;
    }
    this._pending ??= { outputs: new Set(), texts: new Set(), cells: false };
    add(this._pending);
    this._timer ??= setTimeout(() => {
      const change = this._pending;
      this._timer = undefined;
      this._pending = null;
      if (change && !this._disposed) {
        this._changed.emit(change);
      }
    }, 0);
  }

  private readonly _changed = new Signal<this, Change>(this);
  private readonly _entries = new WeakMap<ICodeCellModel, Entry[]>();
  private readonly _placed = new WeakMap<object, Placed[]>();
  private readonly _followed = new WeakSet<ICodeCellModel>();
  private _pending: Change | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _disposed = false;
}
