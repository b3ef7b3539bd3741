// The plugins of the JupyterLab extension.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';

const renderer: JupyterFrontEndPlugin<void> = {
  id: 'jitmagic:renderer',
  description: 'Shows a comparison from its record, also where there is no kernel.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate: (_app: JupyterFrontEnd, _rendermime: IRenderMimeRegistry) => undefined
};

export default [renderer];
