// A Jupyter server of its own for the tests: clean folders, a free port of 127.0.0.1, nothing of the user's set-up.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const TOKEN = 'ui';

/**
 * Starts JupyterLab or Notebook.
 *
 * @param {string} bin Folder of the environment's commands.
 * @param {'lab' | 'notebook'} app
 * @param {string} log Path of the file for what the server says.
 */
export async function startServer(bin, app, log) {
  const home = mkdtempSync(join(tmpdir(), `jitmagic-ui-${app}-`));
  const root = join(home, 'work');
  mkdirSync(root);
  const settings = join(home, 'settings', '@jupyterlab', 'apputils-extension');
  mkdirSync(settings, { recursive: true });
  writeFileSync(join(settings, 'notification.jupyterlab-settings'), '{"fetchNews": "false", "checkForUpdates": false}');
  const port = await freePort();
  const env = {
    HOME: home,
    PATH: `${bin}:${process.env.PATH}`,
    LANG: 'C.UTF-8',
    TMPDIR: home,
    IPYTHONDIR: join(home, 'ipython'),
    JUPYTER_CONFIG_DIR: join(home, 'config'),
    JUPYTER_DATA_DIR: join(home, 'data'),
    JUPYTER_RUNTIME_DIR: join(home, 'runtime'),
    JUPYTERLAB_SETTINGS_DIR: join(home, 'settings'),
    JUPYTERLAB_WORKSPACES_DIR: join(home, 'workspaces'),
    // a kernel that waits for its own numbers needs no more than the two cores of a small machine
    OMP_NUM_THREADS: '2'
  };
  const options = [
    '--no-browser',
    '--allow-root',
    '--ip=127.0.0.1',
    `--port=${port}`,
    '--ServerApp.port_retries=0',
    `--IdentityProvider.token=${TOKEN}`,
    `--ServerApp.root_dir=${root}`,
    // no question to the network about news and newer versions
    '--LabApp.news_url=None',
    '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate',
    '--LabApp.extension_manager=readonly',
    `--${app === 'lab' ? 'LabApp' : 'JupyterNotebookApp'}.expose_app_in_browser=True`
  ];
  const output = openSync(log, 'w');
  const server = spawn(join(bin, 'jupyter'), [app, ...options], { cwd: root, env, stdio: ['ignore', output, output] });
  const url = `http://127.0.0.1:${port}`;
  const ended = new Promise(resolve => server.once('exit', resolve));
  try {
    await answering(`${url}/api/status?token=${TOKEN}`, server, log);
  } catch (error) {
    server.kill('SIGKILL');
    throw error;
  }
  return {
    app,
    url,
    token: TOKEN,
    root,
    env,
    async stop() {
      // asked twice, Jupyter ends its kernels and itself
      await fetch(`${url}/api/shutdown?token=${TOKEN}`, { method: 'POST' }).catch(() => server.kill('SIGTERM'));
      const patience = setTimeout(() => server.kill('SIGKILL'), 15_000);
      await ended;
      clearTimeout(patience);
      rmSync(home, { recursive: true, force: true, maxRetries: 3 });
    }
  };
}

async function answering(url, server, log) {
  for (let left = 120; left > 0; left--) {
    if (server.exitCode !== null) {
      throw new Error(`the server ended with code ${server.exitCode} before it answered: see ${log}`);
    }
    try {
      if ((await fetch(url)).ok) {
        return;
      }
    } catch {
      // it does not listen yet
    }
    await new Promise(resolve => setTimeout(resolve, 500));
  }
  throw new Error(`the server did not answer within a minute: see ${log}`);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
