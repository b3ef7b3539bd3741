// The plugins of the JupyterLab extension. They run in JupyterLab and in Notebook 7.

import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, IThemeManager } from '@jupyterlab/apputils';
import { IEditorExtensionRegistry } from '@jupyterlab/codemirror';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { addCommands } from './commands';
import { EditorMarks } from './marks';
import { Watches } from './notebook/watches';
import { progressRenderer, recordRenderer } from './renderer';
import { PLUGIN, Settings } from './settings';
import { Sidebar } from './sidebar/sidebar';
import { showTwoRuns } from './two-runs-widget';

const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN,
  description: 'Shows comparisons from their records, lists them in a sidebar and marks gotchas in the editor.',
  autoStart: true,
  requires: [INotebookTracker, IRenderMimeRegistry],
  optional: [ILabShell, ILayoutRestorer, ICommandPalette, ISettingRegistry, IEditorExtensionRegistry, IThemeManager],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    rendermime: IRenderMimeRegistry,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    registry: ISettingRegistry | null,
    editors: IEditorExtensionRegistry | null,
    themes: IThemeManager | null
  ) => {
    const watches = new Watches(tracker);
    rendermime.addFactory(recordRenderer(watches, rendermime, themes));
    rendermime.addFactory(progressRenderer(watches));

    const settings = new Settings();
    const marks = editors ? new EditorMarks(watches, editors) : null;
    settings.changed.connect(() => {
      if (marks) {
        marks.enabled = settings.marks;
      }
      app.commands.notifyCommandChanged();
    });
    if (registry) {
      settings.connect(registry).catch(error => {
        console.error('jitmagic: the settings could not be read; the usual ones are used', error);
      });
    }

    const sidebar = new Sidebar(watches, settings, (a, b) => showTwoRuns(labShell, a, b));
    app.shell.add(sidebar, labShell ? 'left' : 'right', { rank: 620, type: 'jitmagic' });
    restorer?.add(sidebar, 'jitmagic');
    addCommands(app, palette, watches, settings, sidebar);
  }
};

export default plugin;
