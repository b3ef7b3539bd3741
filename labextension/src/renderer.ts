// The renderers of our media types: a comparison from its record alone, and the progress of one that runs.

import {
  Clipboard,
  Dialog,
  showDialog,
  showErrorMessage,
  type ISessionContext,
  type IThemeManager
} from '@jupyterlab/apputils';
import type { ICodeCellModel } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { embedBokeh } from './bokeh';
import { boundSource, cellAround, insertBelow, run, showLine } from './notebook/cells';
import { explain, isGotchaCode } from './notebook/kernel';
import { readingOf } from './notebook/outputs';
import type { Watches } from './notebook/watches';
import { CHARTS_MIME, MIME, PROGRESS_MIME, renderProgress, renderRecord } from './view';
import type { Charts, JitmagicRecord, ProgressState, ViewHost } from './view';
import { h } from './view/dom';
import { line } from './view/clean';

/** Where an output stands: its notebook, its cell, and whether the user trusts it. */
interface Place {
  panel: NotebookPanel;
  cell: ICodeCellModel;
}

export function recordRenderer(
  watches: Watches,
  rendermime: IRenderMimeRegistry,
  themes: IThemeManager | null
): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [MIME],
    // before HTML (50) and text; after nothing else that an output of ours holds
    defaultRank: 20,
    createRenderer: () => new RecordWidget(watches, rendermime, themes)
  };
}

export function progressRenderer(watches: Watches): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [PROGRESS_MIME],
    defaultRank: 19,
    createRenderer: () => new ProgressWidget(watches)
  };
}

/** Draws when it has both a model and a place in the page: the buttons depend on the notebook around it. */
abstract class PlacedWidget extends Widget implements IRenderMime.IRenderer {
  constructor(protected readonly watches: Watches) {
    super();
    this.addClass('jp-jitmagic-output');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.model = model;
    if (this.isAttached) {
      this.redraw();
    }
  }

  override dispose(): void {
    this._clear?.();
    super.dispose();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.model) {
      this.redraw();
    }
  }

  /** Draws anew; the tab that was open stays open. */
  protected redraw(): void {
    const tabs = () => [...this.node.querySelectorAll<HTMLElement>('[role=tab]')];
    const open = tabs().findIndex(tab => tab.getAttribute('aria-selected') === 'true');
    this._clear?.();
    this._clear = null;
    try {
      this._clear = this.draw(this.model!);
      if (open > 0) {
        tabs()[open]?.click();
      }
    } catch (error) {
      console.error('jitmagic: a comparison could not be drawn', error);
      this.node.replaceChildren(
        complaint('This comparison could not be drawn.', [line(error instanceof Error ? error.message : error)])
      );
    }
  }

  protected abstract draw(model: IRenderMime.IMimeModel): () => void;

  protected place(): Place | null {
    const cell = cellAround(this);
    const panel = this.watches.tracker.find(each => cell !== null && each.content.widgets.includes(cell));
    return cell && panel && cell.model.type === 'code' ? { panel, cell: cell.model as ICodeCellModel } : null;
  }

  protected model: IRenderMime.IMimeModel | null = null;
  private _clear: (() => void) | null = null;
}

class RecordWidget extends PlacedWidget {
  constructor(
    watches: Watches,
    private readonly _rendermime: IRenderMimeRegistry,
    private readonly _themes: IThemeManager | null
  ) {
    super(watches);
    _themes?.themeChanged.connect(this._onTheme, this);
  }

  protected draw(model: IRenderMime.IMimeModel): () => void {
    const reading = readingOf(model.data[MIME]);
    if ('problem' in reading) {
      this.node.replaceChildren(complaint(reading.problem, reading.details));
      return () => this.node.replaceChildren();
    }
    const place = this.place();
    this._follow(place);
    const host: ViewHost = {
      copy: text => Clipboard.copyToSystem(text),
      charts: (model.data[CHARTS_MIME] as unknown as Charts | undefined) ?? null,
      folded: isFolded(model.metadata),
      // a Bokeh document may hold scripts, so that one of a stranger is not drawn
      ...(model.trusted ? { embedBokeh } : {}),
      ...(place ? hostIn(place, reading.record, this.watches, this._rendermime, model.trusted) : {})
    };
    return renderRecord(this.node, reading.record, host);
  }

  /** Draws anew when a kernel comes or goes: what needs one is offered only then. */
  private _follow(place: Place | null): void {
    const context = place?.panel.sessionContext ?? null;
    if (context !== this._context) {
      this._context?.kernelChanged.disconnect(this._onKernel, this);
      context?.kernelChanged.connect(this._onKernel, this);
      this._context = context;
    }
    this._hadKernel = Boolean(context?.session?.kernel);
  }

  private _onKernel(): void {
    if (this.isAttached && !this.isDisposed && this._hadKernel !== Boolean(this._context?.session?.kernel)) {
      this.redraw();
    }
  }

  /** A chart has the ink of the theme that it was drawn in. */
  private _onTheme(): void {
    if (this.isAttached && !this.isDisposed) {
      this.redraw();
    }
  }

  override dispose(): void {
    this._themes?.themeChanged.disconnect(this._onTheme, this);
    this._context?.kernelChanged.disconnect(this._onKernel, this);
    this._context = null;
    super.dispose();
  }

  private _context: ISessionContext | null = null;
  private _hadKernel = false;
}

class ProgressWidget extends PlacedWidget {
  protected draw(model: IRenderMime.IMimeModel): () => void {
    const state = model.data[PROGRESS_MIME] as unknown as ProgressState;
    const place = this.place();
    return renderProgress(this.node, state, place ? { stop: () => stop(place.panel) } : {});
  }

  /** Changes what is there, so that the focus stays on the button. */
  protected override redraw(): void {
    this.draw(this.model!);
  }
}

/** Says whether another output, the live panel, shows the same whole: see `report/bundle.py`. */
function isFolded(metadata: IRenderMime.IMimeModel['metadata']): boolean {
  const own = metadata?.jitmagic as { folded?: unknown } | undefined;
  return own?.folded === true;
}

/** Interrupts the kernel: a comparison keeps what is done by then. */
export async function stop(panel: NotebookPanel): Promise<void> {
  await panel.sessionContext.session?.kernel?.interrupt();
}

function hostIn(
  { panel, cell }: Place,
  record: JitmagicRecord,
  watches: Watches,
  rendermime: IRenderMimeRegistry,
  trusted: boolean
): ViewHost {
  const told = (title: string, task: () => Promise<unknown>) => async () => {
    try {
      await task();
    } catch (error) {
      await showErrorMessage(title, error as Error);
    }
  };
  const host: ViewHost = {
    insertBelow: source => told('The cell was not inserted', () => insertBelow(panel, cell, source))(),
    goToLine: number =>
      void told('The line was not found', () => showLine(panel, cell, number, watches.of(panel).placed()))()
  };
  // Both run code, and the second one code that came with the notebook.
  if (panel.sessionContext.session?.kernel) {
    host.explain = code => void told('There is no explanation', () => showExplanation(panel, rendermime, code))();
    if (trusted) {
      host.use = name => told('The variant was not bound', () => bind(panel, cell, record, name))();
    }
  }
  return host;
}

/** Inserts the variant's source with the user's own name for it, and runs that cell: what is bound is seen. */
async function bind(panel: NotebookPanel, cell: ICodeCellModel, record: JitmagicRecord, name: string): Promise<void> {
  const variant = record.variants.find(each => each.name === name && each.verified === true);
  if (!variant) {
    throw new Error(`There is no verified variant ${line(name)} in this comparison.`);
  }
  const inserted = await insertBelow(panel, cell, boundSource(variant, record.workload.name));
  await run(panel, inserted);
}

/** Shows the page of a gotcha, which is Markdown, as Jupyter shows it. */
async function showExplanation(panel: NotebookPanel, rendermime: IRenderMimeRegistry, code: string): Promise<void> {
  if (!isGotchaCode(code)) {
    throw new Error(`${line(code)} is no code of a gotcha.`);
  }
  const text = await explain(panel.sessionContext, code);
  const body = rendermime.createRenderer('text/markdown');
  await body.renderModel(rendermime.createModel({ data: { 'text/markdown': text } }));
  body.addClass('jp-jitmagic-page');
  await showDialog({ title: code, body, buttons: [Dialog.okButton({ label: 'Close' })] });
}

/** One clear sentence where a result cannot be shown; what is wrong in detail folds out. */
function complaint(problem: string, details: string[]): HTMLElement {
  return h(
    'div',
    { class: 'jp-jitmagic-complaint', role: 'note' },
    h('p', {}, problem),
    details.length > 0 &&
      h('details', {}, h('summary', {}, 'What is wrong'), h('ul', {}, ...details.map(each => h('li', {}, each))))
  );
}
