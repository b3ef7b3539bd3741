// What is done to the notebook: cells are found, shown, inserted and run.

import { Cell, type ICodeCellModel } from '@jupyterlab/cells';
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import type { Widget } from '@lumino/widgets';
import { marksIn, type Placed } from '../record/places';
import type { Variant } from '../view/record';

/** Returns the index of a cell; -1 where it is gone. */
export function indexOf(panel: NotebookPanel, cell: ICodeCellModel): number {
  return panel.content.widgets.findIndex(widget => widget.model === cell);
}

/** Finds the cell that a widget stands in; null outside of a notebook. */
export function cellAround(widget: Widget): Cell | null {
  for (let each: Widget | null = widget; each; each = each.parent) {
    if (each instanceof Cell) {
      return each;
    }
  }
  return null;
}

/** Brings a cell into view and makes it the active one. */
export async function showCell(panel: NotebookPanel, cell: ICodeCellModel): Promise<void> {
  const index = indexOf(panel, cell);
  if (index < 0) {
    throw new Error('The cell is not in the notebook any more.');
  }
  panel.content.activeCellIndex = index;
  panel.content.deselectAll();
  await panel.content.scrollToItem(index, 'smart');
  panel.content.activate();
}

/** Moves the cursor to the line of a gotcha, in whichever cell it stands; in `cell` itself where it was edited. */
export async function showLine(panel: NotebookPanel, cell: ICodeCellModel, line: number, all: Placed[]): Promise<void> {
  const models = [cell, ...panel.content.widgets.map(widget => widget.model)];
  const home = models.find(
    model =>
      marksIn(
        model.sharedModel.getSource(),
        all.filter(each => each.gotcha.line === line)
      ).length > 0
  );
  const target = (home ?? cell) as ICodeCellModel;
  await showCell(panel, target);
  const widget = panel.content.widgets[indexOf(panel, target)];
  await widget.ready;
  if (widget.editor && line <= widget.editor.lineCount) {
    panel.content.mode = 'edit';
    widget.editor.setCursorPosition({ line: line - 1, column: 0 });
    widget.editor.revealPosition({ line: line - 1, column: 0 });
    widget.editor.focus();
  }
}

/** Inserts a code cell below another and shows it. */
export async function insertBelow(panel: NotebookPanel, cell: ICodeCellModel, source: string): Promise<ICodeCellModel> {
  const { content } = panel;
  if (!content.model) {
    throw new Error('The notebook is not loaded yet.');
  }
  const index = indexOf(panel, cell);
  // where the cell is gone, the end is the place that disturbs least
  const place = index < 0 ? content.widgets.length : index + 1;
  content.model.sharedModel.insertCell(place, { cell_type: 'code', source, metadata: { trusted: true } });
  const inserted = content.widgets[place].model as ICodeCellModel;
  await showCell(panel, inserted);
  return inserted;
}

/** Runs a cell as if its run button was pressed, without moving on to the next one. */
export async function run(panel: NotebookPanel, cell: ICodeCellModel): Promise<void> {
  await showCell(panel, cell);
  await NotebookActions.run(panel.content, panel.sessionContext);
}

/** Writes the source that binds a variant to the user's own name for the function. */
export function boundSource(variant: Variant, name: string): string {
  const parts = [variant.source.trimEnd()];
  if (variant.needs.length > 0) {
    parts.unshift(`# These names must be in the session: ${variant.needs.join(', ')}`);
  }
  if (variant.entry && variant.entry !== name) {
    parts.push(`${name} = ${variant.entry}`);
  }
  return parts.join('\n\n') + '\n';
}
