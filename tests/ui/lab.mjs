// Runs a notebook in JupyterLab with a real Chromium; asked by tests/ui/test_panel.py through standard input.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const job = JSON.parse(readFileSync(0, 'utf8'));
const { chromium } = createRequire(join(job.modules, 'x.js'))('playwright-core');
const browser = await chromium.launch({
  executablePath: job.chromium,
  args: ['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1']
});
const page = await browser.newPage({ viewport: { width: 1250, height: 1000 } });
page.setDefaultTimeout(120_000);
const faults = [];
page.on('pageerror', error => faults.push(String(error)));
await page.goto(job.url);
await page.waitForSelector('.jp-Notebook .jp-CodeCell');
await page.waitForFunction(() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel);
const command = name => page.evaluate(one => void window.jupyterapp.commands.execute(one), name);
const answer = { faults };
await command('notebook:run-all-cells');
if (job.stop) {
  // before the function itself has run there is nothing to keep
  await page.waitForFunction(() => document.querySelectorAll('.jm-progress-item').length > 1);
  answer.bars = await page.locator('.jm-progress-item').count();
  await page.locator('.jm-stop:visible').click();
}
await page.waitForSelector('.jitmagic [role=tab]');
answer.advice = await page.locator('.jm-headline').innerText();
if (!job.stop) {
  await page.waitForSelector('.jm-charted');
  answer.canvases = await page.locator('.jm-chart > *').count();
  await page.locator('[role=tab]', { hasText: 'Code' }).click();
  await page.locator('button', { hasText: 'Use it' }).click();
  await page.waitForFunction(() => document.querySelector('.jm-status').textContent);
  answer.used = await page.locator('.jm-status').innerText();
}
await page.waitForFunction(() => document.querySelector('.jp-Notebook').innerText.includes('all is done'));
await command('docmanager:save');
await page.waitForFunction(() => !window.jupyterapp.shell.currentWidget.context.model.dirty);
// opened again, by a kernel that knows nothing of it
await page.evaluate(() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown());
await page.goto(job.url);
await page.waitForSelector('.jp-OutputArea-output');
await page.waitForTimeout(3000);
answer.reopened = await page.locator('.jp-Notebook').innerText();
answer.tabsLeft = await page.locator('.jitmagic [role=tab]').count();
await browser.close();
process.stdout.write(JSON.stringify(answer));
