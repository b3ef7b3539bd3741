// One watch for each open notebook.

import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Signal, type ISignal } from '@lumino/signaling';
import { NotebookWatch } from './watch';

export class Watches {
  constructor(readonly tracker: INotebookTracker) {
    tracker.forEach(panel => this.of(panel));
    tracker.widgetAdded.connect((_, panel) => this.of(panel));
  }

  /** Emitted with each new watch. */
  get added(): ISignal<this, NotebookWatch> {
    return this._added;
  }

  /** The watch of a notebook. */
  of(panel: NotebookPanel): NotebookWatch {
    let watch = this._all.get(panel);
    if (!watch) {
      watch = new NotebookWatch(panel);
      this._all.set(panel, watch);
      panel.disposed.connect(() => this._all.delete(panel));
      this._added.emit(watch);
    }
    return watch;
  }

  /** The watch of the notebook that the user looks at; null where there is none. */
  get current(): NotebookWatch | null {
    const panel = this.tracker.currentWidget;
    return panel ? this.of(panel) : null;
  }

  /** All that are there. */
  all(): NotebookWatch[] {
    return [...this._all.values()];
  }

  private readonly _all = new Map<NotebookPanel, NotebookWatch>();
  private readonly _added = new Signal<this, NotebookWatch>(this);
}
