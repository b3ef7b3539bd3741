// Makes the README's pictures: a real comparison in a real JupyterLab. Run it where nothing else runs:
//
//     JITMAGIC_UI_BIN=$PWD/.venv-ui/bin node labextension/ui/pictures.mjs docs/images
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { newPage, picture, startBrowser } from './browser.mjs';
import { cellAt, codeCell, command, openNotebook, putCursor, writeNotebook } from './notebook.mjs';
import { startServer } from './server.mjs';

process.env.JITMAGIC_UI_ARTEFACTS = resolve(process.argv[2] ?? 'docs/images');
const SETUP = '%load_ext jitmagic\nimport numpy as np';
const FUNCTION = `def diffuse(u, steps):
    for _ in range(steps):
        new = u.copy()
        for i in range(1, len(u) - 1):
            new[i] = u[i] + 0.1 * (u[i - 1] - 2 * u[i] + u[i + 1])
        u = new
    return u

u = np.random.default_rng(1).random(2_000, dtype=np.float32)`;

const server = await startServer(
  process.env.JITMAGIC_UI_BIN,
  'lab',
  join(mkdtempSync(join(tmpdir(), 'pictures-')), 'log')
);
const browser = await startBrowser();
try {
  writeNotebook(server, 'diffusion.ipynb', [codeCell(SETUP), codeCell(FUNCTION)]);
  const page = await newPage(browser, { width: 1240, height: 780 });
  await openNotebook(page, server, 'diffusion.ipynb');
  await command(page, 'notebook:run-all-cells');
  await command(page, 'jitmagic:show-sidebar');
  await putCursor(page, 1, 'new[i]');
  await command(page, 'jitmagic:compare-function');
  const sidebar = page.locator('#jitmagic-sidebar');
  await sidebar.locator('.jp-jitmagic-compare input').fill('diffuse(u, 10)');
  await sidebar.locator('button:has-text("Insert and run")').click();
  await page.waitForSelector('.jp-OutputArea .jitmagic [role=tab]', { timeout: 300_000 });
  await page.waitForSelector('.jm-charted');
  await sidebar.locator('.jp-jitmagic-items summary').click();
  await page.evaluate(() => window.jupyterapp.shell.currentWidget.content.scrollToItem(1, 'start'));
  await page.waitForTimeout(1000);
  await cellAt(page, 1).locator('.cm-lintRange').first().hover();
  await page.waitForSelector('.cm-tooltip .jp-jitmagic-hint');
  await picture(page, 'sidebar');
  await page.mouse.move(600, 600);
  await command(page, 'apputils:change-theme', { theme: 'JupyterLab Dark' });
  await page.waitForFunction(() => document.body.dataset.jpThemeLight === 'false');
  await cellAt(page, 2).locator('[role=tab]:has-text("Code")').click();
  await page.evaluate(() => window.jupyterapp.shell.currentWidget.content.scrollToItem(2, 'start'));
  await page.waitForTimeout(1000);
  await picture(page, 'dark');
} finally {
  await browser.close();
  await server.stop();
}
