// Compare the function under the cursor: which function, which call, and what will be done, before it is done.

import { showErrorMessage } from '@jupyterlab/apputils';
import type { ICodeCellModel } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { indexOf, insertBelow, run, showCell } from '../notebook/cells';
import { loadExtension } from '../notebook/kernel';
import type { Watches } from '../notebook/watches';
import { callOf, callProblem, functionAt, plainCall, type PythonFunction } from '../python/functions';
import { magicLine, optionsProblem } from '../python/magic-line';
import { stop } from '../renderer';
import type { Settings } from '../settings';
import { renderProgress } from '../view';
import { h } from '../view/dom';
import { Section } from './section';
import { where } from './where';

interface Target {
  panel: NotebookPanel;
  cell: ICodeCellModel;
  function: PythonFunction;
}

export class CompareSection extends Section {
  constructor(
    private readonly _watches: Watches,
    private readonly _settings: Settings
  ) {
    super('Compare', 'compare', true);
    this._call.addEventListener('input', () => {
      if (this._target) {
        this._edited.set(this._target.function.name, this._call.value);
      }
      this._update();
    });
    this._call.addEventListener('keydown', event => {
      if (event.key === 'Enter' && !this._runButton.disabled) {
        void this._insert(true);
      }
    });
    this._runButton.addEventListener('click', () => void this._insert(true));
    this._insertButton.addEventListener('click', () => void this._insert(false));
    this._home.addEventListener('click', () => {
      if (this._target) {
        void showCell(this._target.panel, this._target.cell);
      }
    });
    this._form.append(
      h('p', { class: 'jp-jitmagic-lead' }, this._name, this._home),
      h('label', { class: 'jp-jitmagic-field' }, h('span', {}, 'Call to compare'), this._call),
      this._preview,
      this._problem,
      h('div', { class: 'jp-jitmagic-buttons' }, this._runButton, this._insertButton)
    );
    this.body.append(this._hint, this._form, this._progress);

    const { tracker } = _watches;
    tracker.activeCellChanged.connect(() => this._followCell());
    tracker.currentChanged.connect(() => this._followCell());
    _settings.changed.connect(() => this.refresh());
    this._followCell();
  }

  /** Takes the function under the cursor now, and puts the focus on its call. Says why where there is none. */
  begin(): void {
    this._target = null;
    this._find();
    this.draw();
    if (this._target) {
      this._call.focus();
      this._call.setSelectionRange(this._call.value.indexOf('(') + 1, this._call.value.lastIndexOf(')'));
    }
  }

  protected draw(): void {
    this._find();
    this._update();
    this._drawProgress();
  }

  private _followCell(): void {
    const cell = this._watches.tracker.activeCell;
    this._unfollow?.();
    this._unfollow = null;
    if (cell?.model.type === 'code') {
      const { selections } = cell.model;
      const moved = () => this.refresh();
      selections.changed.connect(moved);
      this._unfollow = () => selections.changed.disconnect(moved);
    }
    this.refresh();
  }

  /** Finds the function under the cursor; where the cell has none, the one before stays. */
  private _find(): void {
    const panel = this._watches.tracker.currentWidget;
    const active = panel?.content.activeCell;
    this._said = '';
    if (this._target && (this._target.panel !== panel || indexOf(panel!, this._target.cell) < 0)) {
      this._target = null;
    }
    if (!panel || !active) {
      this._said = 'Open a notebook to compare one of its functions.';
      return;
    }
    if (active.model.type !== 'code') {
      this._said = 'Put the cursor into a function of a code cell.';
      return;
    }
    const cell = active.model as ICodeCellModel;
    const { editor } = active;
    const offset = editor ? editor.getOffsetAt(editor.getCursorPosition()) : 0;
    const found = functionAt(cell.sharedModel.getSource(), offset);
    if ('function' in found) {
      this._target = { panel, cell, function: found.function };
    } else {
      this._said = found.problem;
    }
  }

  /** The call as the user wrote it here; else as the notebook calls the function; else with its parameters' names. */
  private _proposal({ panel, cell, function: chosen }: Target): string {
    const edited = this._edited.get(chosen.name);
    if (edited !== undefined) {
      return edited;
    }
    const all = this._watches.of(panel).codeCells();
    const index = all.indexOf(cell);
    for (const each of [cell, ...all.slice(index + 1), ...all.slice(0, index).reverse()]) {
      const call = callOf(chosen.name, each.sharedModel.getSource());
      if (call) {
        return call;
      }
    }
    return plainCall(chosen);
  }

  private _update(): void {
    const target = this._target;
    this._form.hidden = !target;
    this._hint.hidden = Boolean(target);
    this._hint.textContent = this._said;
    if (!target) {
      return;
    }
    this._name.textContent = target.function.name;
    this._home.textContent = where(target.panel, target.cell);
    if (document.activeElement !== this._call) {
      this._call.value = this._proposal(target);
    }
    const problem = optionsProblem(this._settings.options) ?? callProblem(this._call.value);
    const waits = this._inserting && target.panel.sessionContext.session?.kernel?.status === 'busy';
    const told = problem ?? (waits ? 'Waiting for the kernel, which is busy.' : '');
    this._problem.hidden = !told;
    this._problem.textContent = told;
    this._preview.hidden = Boolean(problem);
    this._preview.textContent = problem ? '' : this._source(target);
    this._runButton.disabled = Boolean(problem) || this._inserting;
    this._insertButton.disabled = Boolean(problem) || this._inserting;
  }

  /** What the new cell will hold. */
  private _source({ panel }: Target): string {
    const line = magicLine(this._settings.options, this._call.value);
    const cells = this._watches.of(panel).codeCells();
    const loads = cells.some(cell => /^\s*%(load_ext|reload_ext)\s+jitmagic\b/m.test(cell.sharedModel.getSource()));
    return loads ? line : `%load_ext jitmagic\n${line}`;
  }

  private async _insert(runs: boolean): Promise<void> {
    const target = this._target;
    if (!target || this._inserting) {
      return;
    }
    this._inserting = true;
    this._update();
    try {
      const source = this._source(target);
      if (runs) {
        // the cell that loads it may stand in the notebook and not have been run in this session
        await loadExtension(target.panel.sessionContext);
      }
      const cell = await insertBelow(target.panel, target.cell, source);
      if (runs) {
        // what becomes of it is seen in the cell; the next comparison need not wait for it here
        run(target.panel, cell).catch(error => showErrorMessage('The comparison was not started', error));
      }
    } catch (error) {
      await showErrorMessage('The comparison was not started', error as Error);
    } finally {
      this._inserting = false;
      this._update();
    }
  }

  private _drawProgress(): void {
    const watch = this._watches.current;
    const running = watch?.running() ?? null;
    this._progress.hidden = !running;
    if (watch && running) {
      renderProgress(this._progress, running.state, { stop: () => stop(watch.panel) });
    } else if (this._progress.firstChild) {
      this._progress.replaceChildren();
    }
  }

  private readonly _edited = new Map<string, string>();
  private _target: Target | null = null;
  private _said = '';
  private _inserting = false;
  private _unfollow: (() => void) | null = null;

  private readonly _hint = h('p', { class: 'jp-jitmagic-faint' });
  private readonly _form = h('div', { class: 'jp-jitmagic-form' });
  private readonly _name = h('code', { class: 'jp-jitmagic-name' });
  private readonly _home = h('button', { type: 'button', class: 'jp-jitmagic-link', title: 'Go to its cell' });
  private readonly _call = h('input', {
    type: 'text',
    class: 'jp-mod-styled jp-jitmagic-code',
    spellcheck: 'false',
    autocomplete: 'off'
  }) as HTMLInputElement;
  private readonly _preview = h('pre', { class: 'jp-jitmagic-preview', title: 'What the new cell will hold' });
  private readonly _problem = h('p', { class: 'jp-jitmagic-problem', role: 'status' });
  private readonly _runButton = h(
    'button',
    {
      type: 'button',
      class: 'jp-mod-styled jp-mod-accept',
      title: 'Adds this cell below the function, and runs it'
    },
    'Insert and run'
  ) as HTMLButtonElement;
  private readonly _insertButton = h(
    'button',
    { type: 'button', class: 'jp-mod-styled', title: 'Adds this cell below the function; nothing is run' },
    'Insert only'
  ) as HTMLButtonElement;
  private readonly _progress = h('div', { class: 'jp-jitmagic-progress' });
}
