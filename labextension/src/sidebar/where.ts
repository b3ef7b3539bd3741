// How a cell is called in the sidebar.

import type { ICodeCellModel } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { indexOf } from '../notebook/cells';

/** `[7]` as at the cell's side, or its place in the notebook where it was not run. */
export function where(panel: NotebookPanel, cell: ICodeCellModel): string {
  return cell.executionCount === null ? `cell ${indexOf(panel, cell) + 1}` : `[${cell.executionCount}]`;
}
