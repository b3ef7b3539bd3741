// The commands, for the palette, the menus and keyboard shortcuts.

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import { jitmagicIcon } from './icon';
import type { Watches } from './notebook/watches';
import { stop } from './renderer';
import type { Settings } from './settings';
import type { Sidebar } from './sidebar/sidebar';

export const COMPARE = 'jitmagic:compare-function';
export const SHOW_SIDEBAR = 'jitmagic:show-sidebar';
export const STOP = 'jitmagic:stop';
export const TOGGLE_MARKS = 'jitmagic:toggle-marks';
export const ASK_DEVICES = 'jitmagic:look-for-devices';

const CATEGORY = 'jitmagic';

export function addCommands(
  app: JupyterFrontEnd,
  palette: ICommandPalette | null,
  watches: Watches,
  settings: Settings,
  sidebar: Sidebar
): void {
  const { commands } = app;
  const show = () => app.shell.activateById(sidebar.id);

  commands.addCommand(SHOW_SIDEBAR, {
    label: 'Show the jitmagic Sidebar',
    icon: jitmagicIcon,
    execute: show
  });
  commands.addCommand(COMPARE, {
    label: 'Compare the Function under the Cursor…',
    caption: 'Compare it with what Numba, JAX, PyTorch and CuPy make of it; nothing runs before you agree',
    icon: jitmagicIcon,
    isEnabled: () => watches.tracker.activeCell?.model.type === 'code',
    execute: () => {
      show();
      sidebar.compare.unfold();
      sidebar.compare.begin();
    }
  });
  commands.addCommand(STOP, {
    label: 'Stop the Running Comparison',
    caption: 'Interrupts the kernel; what is measured by then is kept',
    isEnabled: () => Boolean(watches.current?.running()),
    execute: async () => {
      const panel = watches.current?.panel;
      if (panel) {
        await stop(panel);
      }
    }
  });
  commands.addCommand(TOGGLE_MARKS, {
    label: 'Mark Gotchas in the Editor',
    isToggled: () => settings.marks,
    execute: () => settings.setMarks(!settings.marks)
  });
  commands.addCommand(ASK_DEVICES, {
    label: 'Look for Devices and Backends',
    caption: 'Asks the kernel of the notebook in front',
    isEnabled: () => watches.current !== null,
    execute: async () => {
      show();
      sidebar.devices.unfold();
      await sidebar.devices.ask();
    }
  });
  for (const command of [COMPARE, SHOW_SIDEBAR, STOP, TOGGLE_MARKS, ASK_DEVICES]) {
    palette?.addItem({ command, category: CATEGORY });
  }
}
