// Draws records in a real Chromium and tells what came of it; asked by tests/ui/test_view.py through standard input.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const job = JSON.parse(readFileSync(0, 'utf8'));
const { chromium } = createRequire(join(job.modules, 'x.js'))('playwright-core');
const browser = await chromium.launch({ executablePath: job.chromium, args: ['--no-sandbox', '--disable-gpu'] });
const answers = [];
for (const one of job.pages) {
  const context = await browser.newContext({ offline: true, colorScheme: one.dark ? 'dark' : 'light' });
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', error => faults.push(String(error)));
  page.on('dialog', dialog => (faults.push('dialog'), dialog.dismiss()));
  page.on('request', request => {
    if (!/^(file|data|blob|about):/.test(request.url())) {
      faults.push(request.url());
    }
  });
  const answer = { faults };
  if (one.file) {
    await page.goto(`file://${one.file}`);
    await page.waitForSelector('[role=tab]');
    if (one.charts) {
      await page.waitForFunction(() => document.querySelector('.jm-charted'));
    }
    answer.text = await page.evaluate(() => document.body.innerText);
    answer.tabs = await page.locator('[role=tab]').allInnerTexts();
  } else {
    await page.setContent('<!doctype html><body><div id="place"></div></body>');
    for (const script of job.scripts) {
      await page.addScriptTag({ path: script });
    }
    Object.assign(answer, await page.evaluate(drawn, one));
    if (one.keys) {
      await page.locator('[role=tab]').first().focus();
      answer.focused = [];
      for (const key of one.keys) {
        await page.keyboard.press(key);
        answer.focused.push(await page.evaluate(() => document.activeElement.textContent));
      }
    }
  }
  answers.push(answer);
  await context.close();
}
await browser.close();
process.stdout.write(JSON.stringify(answers));

// Runs in the page.
async function drawn({ record, host: given, progress, charts, keys }) {
  const place = document.getElementById('place');
  const calls = [];
  const host = {};
  for (const name of given ?? []) {
    host[name] = (...details) => void calls.push([name, ...details]);
  }
  if (charts) {
    host.charts = charts;
    host.embedBokeh = (node, item) => View.embedWith(window.Bokeh, node, item);
  }
  if (progress) {
    const steps = progress.map(state => {
      const dispose = View.renderProgress(place, state, host);
      const bars = [...place.querySelectorAll('[role=progressbar]')].map(bar => [
        bar.getAttribute('aria-label'),
        bar.getAttribute('aria-valuetext'),
        Number(bar.getAttribute('aria-valuenow'))
      ]);
      return { dispose, bars, text: place.innerText, root: place.firstElementChild };
    });
    const stop = place.querySelector('.jm-stop');
    const offered = !stop.hidden;
    stop.click();
    const same = steps.every(step => step.root === steps[0].root);
    return { calls, offered, disabled: stop.disabled, same, steps: steps.map(({ bars, text }) => ({ bars, text })) };
  }
  const dispose = View.renderRecord(place, record, host);
  if (keys) {
    return {};
  }
  const shape = node => [...node.querySelectorAll('*')].map(one => `${one.tagName}.${one.getAttribute('class') ?? ''}`);
  const tabs = {};
  for (const tab of place.querySelectorAll('[role=tab]')) {
    tab.click();
    await new Promise(resolve => setTimeout(resolve, charts ? 800 : 0));
    const panel = document.getElementById(tab.getAttribute('aria-controls'));
    const select = panel.querySelector('select');
    const seen = { text: '', shape: [], buttons: [], links: [] };
    for (let index = 0; index < (select && tab.textContent === 'Code' ? select.options.length : 1); index++) {
      if (select && tab.textContent === 'Code') {
        select.selectedIndex = index;
        select.dispatchEvent(new Event('change'));
      }
      seen.text += panel.innerText + '\n';
      seen.shape.push(...shape(panel));
      seen.buttons.push(...[...panel.querySelectorAll('button')].map(button => button.textContent));
      seen.links.push(...[...panel.querySelectorAll('a')].map(link => link.href));
      panel.querySelectorAll('.jm-actions button, .jm-hint-head button').forEach(button => button.click());
    }
    seen.canvases = panel.querySelectorAll('.jm-chart > *').length;
    tabs[tab.textContent] = seen;
  }
  await new Promise(resolve => setTimeout(resolve, 20));
  const text = place.innerText;
  dispose();
  return { tabs, text, calls, left: place.childElementCount, ran: Boolean(window.ran) };
}
