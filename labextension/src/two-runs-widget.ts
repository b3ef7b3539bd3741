// Where two runs side by side are shown: a tab beside the notebook, a dialog where there are no tabs.

import type { ILabShell } from '@jupyterlab/application';
import { Dialog, MainAreaWidget, showDialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';
import { jitmagicIcon } from './icon';
import { twoRunsView } from './sidebar/two-runs-view';
import { cut, line } from './view/clean';
import type { JitmagicRecord } from './view/record';

/** Shows two runs; Notebook 7 has one place for documents, so that a dialog is shown there. */
export function showTwoRuns(shell: ILabShell | null, a: JitmagicRecord, b: JitmagicRecord): void {
  const body = new Widget({ node: twoRunsView(a, b) });
  body.addClass('jp-jitmagic-two-body');
  if (!shell) {
    void showDialog({ title: 'Two runs', body, buttons: [Dialog.okButton({ label: 'Close' })] });
    return;
  }
  const widget = new MainAreaWidget({ content: body });
  const name = cut(line(a.workload.name), 30);
  const other = cut(line(b.workload.name), 30);
  widget.title.label = name === other ? `Two runs: ${name}` : `${name} and ${other}`;
  widget.title.icon = jitmagicIcon;
  widget.title.closable = true;
  shell.add(widget, 'main', { mode: 'split-right' });
  shell.activateById(widget.id);
}
