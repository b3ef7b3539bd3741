// Gotchas as marks in the editors of the cells, at their lines, with the explanation on hover.

import { lintGutter, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { Compartment, type Extension } from '@codemirror/state';
import { EditorView, ViewPlugin, type ViewUpdate } from '@codemirror/view';
import type { ICellModel, ICodeCellModel } from '@jupyterlab/cells';
import type { CodeEditor } from '@jupyterlab/codeeditor';
import { EditorExtensionRegistry, type IEditorExtensionRegistry } from '@jupyterlab/codemirror';
import type { NotebookWatch } from './notebook/watch';
import type { Watches } from './notebook/watches';
import { marksIn, type Mark } from './record/places';
import { line, webAddress } from './view/clean';
import { h, prose } from './view/dom';

const SEVERITIES: { [severity: string]: Diagnostic['severity'] } = {
  silent: 'warning',
  error: 'error',
  performance: 'info'
};

/** Knows the editors of all cells, and keeps their marks true to what the notebooks hold. */
export class EditorMarks {
  constructor(
    private readonly _watches: Watches,
    registry: IEditorExtensionRegistry
  ) {
    registry.addExtension({
      name: 'jitmagic:marks',
      factory: ({ model }) =>
        isCodeCell(model) ? EditorExtensionRegistry.createImmutableExtension(this._extension(model)) : null
    });
    const follow = (watch: NotebookWatch) => {
      watch.changed.connect((_, change) => {
        // the comparison of one cell may concern the functions of another
        const cells = change.outputs.size > 0 || change.cells ? watch.codeCells() : change.texts;
        this._draw(watch, cells);
      });
    };
    _watches.all().forEach(follow);
    _watches.added.connect((_, watch) => follow(watch));
  }

  /** Shows or hides all marks. */
  set enabled(value: boolean) {
    if (value !== this._enabled) {
      this._enabled = value;
      this._watches.all().forEach(watch => this._draw(watch, watch.codeCells()));
    }
  }

  get enabled(): boolean {
    return this._enabled;
  }

  private _draw(watch: NotebookWatch, cells: Iterable<ICodeCellModel>): void {
    const all = this._enabled ? watch.placed() : [];
    for (const cell of cells) {
      const editors = this._editors.get(cell);
      if (editors) {
        const marks = all.length > 0 ? marksIn(cell.sharedModel.getSource(), all) : [];
        editors.forEach(editor => editor.show(marks));
      }
    }
  }

  /** What each cell's editor gets: a plugin that is told the marks of its cell. */
  private _extension(cell: ICodeCellModel): Extension {
    const gutter = new Compartment();
    const { _editors: editors } = this;
    const begin = () => this._begin(cell);
    const plugin = ViewPlugin.define(view => {
      const editor = new MarkedEditor(view, gutter);
      editors.set(cell, (editors.get(cell) ?? new Set<MarkedEditor>()).add(editor));
      // an editor is made when its cell comes into view, which may be long after its marks were found
      queueMicrotask(begin);
      return {
        update: (update: ViewUpdate) => editor.onUpdate(update),
        destroy: () => {
          editor.gone = true;
          editors.get(cell)?.delete(editor);
        }
      };
    });
    return [gutter.of([]), plugin];
  }

  private _begin(cell: ICodeCellModel): void {
    const watch = this._watches.all().find(each => each.codeCells().includes(cell));
    if (watch) {
      this._draw(watch, [cell]);
    }
  }

  private readonly _editors = new WeakMap<ICodeCellModel, Set<MarkedEditor>>();
  private _enabled = true;
}

class MarkedEditor {
  gone = false;

  constructor(
    private readonly _view: EditorView,
    private readonly _gutter: Compartment
  ) {}

  show(marks: Mark[]): void {
    const key = JSON.stringify(marks);
    if (this.gone || key === this._shown || (marks.length === 0 && this._count === 0)) {
      return;
    }
    const { length } = this._view.state.doc;
    const fitting = marks.filter(({ from, to }) => from <= to && to <= length);
    const had = this._count > 0;
    this._shown = key;
    this._count = fitting.length;
    if (had !== fitting.length > 0) {
      // The column at the left is there only where it has something to show. It must be there before the marks come.
      const gutter = fitting.length > 0 ? lintGutter() : [];
      this._view.dispatch({ effects: this._gutter.reconfigure(gutter) });
    }
    this._view.dispatch(setDiagnostics(this._view.state, fitting.map(diagnostic)));
  }

  /** Text was edited: the editor moved its marks along, and the watch is about to say which of them still hold. */
  onUpdate(update: ViewUpdate): void {
    if (update.docChanged) {
      this._shown = '';
    }
  }

  private _shown = '[]';
  private _count = 0;
}

function diagnostic({ from, to, gotcha }: Mark): Diagnostic {
  const severity = gotcha.handled ? 'hint' : (SEVERITIES[gotcha.severity] ?? 'info');
  const origin = line(gotcha.origin ?? '');
  const state =
    (gotcha.handled ? `${gotcha.status}; the variants avoid it` : gotcha.status) + (origin ? `; from ${origin}` : '');
  const source = `${line(gotcha.backend)} · ${line(gotcha.code)}`;
  return {
    from,
    to,
    severity,
    // what a screen reader and the panel of problems read
    message: line(`${gotcha.message} ${gotcha.fix}`),
    renderMessage: () => {
      const link = gotcha.link ? webAddress(gotcha.link) : null;
      return h(
        'div',
        { class: 'jp-jitmagic-hint' },
        h('p', {}, ...prose(line(gotcha.message))),
        gotcha.fix && h('p', {}, '→ ', ...prose(line(gotcha.fix))),
        h(
          'p',
          { class: 'jp-jitmagic-faint' },
          `${source} · ${line(state)}`,
          link && ' · ',
          link && h('a', { href: link, target: '_blank', rel: 'noopener noreferrer' }, 'documentation')
        )
      );
    }
  };
}

function isCodeCell(model: CodeEditor.IModel): model is ICodeCellModel {
  return (model as ICellModel).type === 'code' && 'outputs' in model;
}
