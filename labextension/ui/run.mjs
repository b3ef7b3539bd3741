// Runs the browser tests: against a real JupyterLab and a real Notebook 7, in a real Chromium, with the network off.
//
// JITMAGIC_UI_BIN is the folder of the environment's commands (`make ui` makes one with the wheel of this tree).
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { newPage, picture, startBrowser } from './browser.mjs';
import { cellAt, codeCell, command, errorBoxes, MIME, openNotebook, putCursor, readNotebook } from './notebook.mjs';
import { record, resultOutput, sources, writeNotebook } from './notebook.mjs';
import { startServer } from './server.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const BIN = process.env.JITMAGIC_UI_BIN;
if (!BIN) {
  throw new Error('JITMAGIC_UI_BIN must name the commands of an environment with jitmagic and JupyterLab: use make ui');
}
const ARTEFACTS = resolve(process.env.JITMAGIC_UI_ARTEFACTS ?? join(HERE, '..', '..', 'ui-artefacts'));
process.env.JITMAGIC_UI_ARTEFACTS = ARTEFACTS;
rmSync(ARTEFACTS, { recursive: true, force: true });
mkdirSync(ARTEFACTS, { recursive: true });

const SETUP = '%load_ext jitmagic\nimport numpy as np';
const FUNCTION = [
  'def smooth(a, n):',
  '    total = np.zeros_like(a)',
  '    for _ in range(n):',
  '        total[1:] += a[:-1] * 0.5',
  '        total = total * 0.9',
  '    return total.max()',
  '',
  'a = np.random.default_rng(1).random(200_000, dtype=np.float32)'
].join('\n');
/** Seconds until a comparison is done on a small machine that does other things too. */
const PATIENCE = 180_000;

let browser;
before(async () => {
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
});

/** Gives a test a page, keeps a picture of it where the test fails, and fails for what the page did wrong. */
function onPage(name, options, body) {
  test(name, { timeout: 2 * PATIENCE }, async () => {
    const page = await newPage(browser, options);
    try {
      await body(page);
      assert.deepEqual(page.faults, []);
    } catch (error) {
      await picture(page, `failed-${name.replace(/\W+/g, '-').slice(0, 60)}`).catch(() => undefined);
      throw error;
    } finally {
      await page.context().close();
    }
  });
}

test('the wheel brought the extension along, enabled', () => {
  const listed = spawnSync(join(BIN, 'jupyter'), ['labextension', 'list'], { encoding: 'utf8' });
  const told = (listed.stdout + listed.stderr).replace(/\x1b\[\d*m/g, '');
  assert.match(told, /jitmagic v\S+ enabled OK/);
});

describe('JupyterLab', { concurrency: 1 }, () => {
  let server;
  before(async () => {
    server = await startServer(BIN, 'lab', join(ARTEFACTS, 'lab.log'));
  });
  after(async () => {
    await server?.stop();
  });

  onPage('a function is compared from the sidebar, and its result used', {}, async page => {
    writeNotebook(server, 'live.ipynb', [codeCell(SETUP), codeCell(FUNCTION), codeCell('last = 1')]);
    await openNotebook(page, server, 'live.ipynb');
    await command(page, 'notebook:run-all-cells');

    // the form
    await command(page, 'jitmagic:show-sidebar');
    const sidebar = page.locator('#jitmagic-sidebar');
    await sidebar.locator('.jp-jitmagic-title:has-text("Options")').click();
    for (const name of ['jax', 'torch', 'cupy', 'numba-cuda', 'cuda-python']) {
      await sidebar.locator(`.jp-jitmagic-options label:has-text("${name}") input`).uncheck();
    }
    await sidebar.locator('.jp-jitmagic-options label:has-text("Seconds for timing") input').fill('1');
    await sidebar.locator('.jp-jitmagic-options label:has-text("Seconds for timing") input').press('Tab');
    const options = sidebar.locator('.jp-jitmagic-options');
    const fillIn = async (label, text) => {
      await options.locator(`label:has-text("${label}") input`).fill(text);
      await options.locator(`label:has-text("${label}") input`).press('Tab');
    };
    await fillIn('CPU threads', '1, all');
    await fillIn('Other sizes too', 'n = 10:1000:3');
    await options.locator('label:has-text("caches emptied") input').check();
    await fillIn('Other machines too', 'gpu1');
    assert.match(await options.locator('.jp-jitmagic-problem').innerText(), /no address/);
    await fillIn('Other machines too', '');
    await fillIn('Calls like this one', '1000');
    await options.locator('label:has-text("Where it will run") select').selectOption('cpu');
    await options.locator('label:has-text("gradients") input').check();
    await options.locator('label:has-text("few changed lines") input').check();
    await picture(page, 'options');

    // the function under the cursor
    await putCursor(page, 1, 'total * 0.9');
    await command(page, 'jitmagic:compare-function');
    const call = sidebar.locator('.jp-jitmagic-compare input');
    assert.equal(await call.inputValue(), 'smooth(a, n)');
    await call.fill('smooth(a, 20)');
    const preview = sidebar.locator('.jp-jitmagic-preview');
    assert.equal(
      await preview.innerText(),
      '%jitcompare -b numba --budget 1 --threads 1,all --sweep n=10:1000:3 --cold ' +
        '--calls 1000 --need gradients --deploy cpu --keep simple smooth(a, 20)'
    );
    await fillIn('Other sizes too', 'n');
    assert.match(await options.locator('.jp-jitmagic-problem').innerText(), /no sweep/);
    for (const label of ['CPU threads', 'Other sizes too', 'Calls like this one']) {
      await fillIn(label, '');
    }
    await options.locator('label:has-text("Where it will run") select').selectOption('');
    await options.locator('label:has-text("Compared is") select').selectOption('grad');
    assert.match(await options.locator('.jp-jitmagic-problem').innerText(), /no argument/);
    await fillIn('by the argument', 'x');
    assert.equal(await preview.innerText(), '%jitcompare -b numba --budget 1 --cold --need gradients --keep simple --grad x smooth(a, 20)');
    await options.locator('label:has-text("Compared is") select').selectOption('');
    for (const label of ['caches emptied', 'gradients', 'few changed lines']) {
      await options.locator(`label:has-text("${label}") input`).uncheck();
    }
    await sidebar.locator('.jp-jitmagic-title:has-text("Options")').click();
    assert.equal(await preview.innerText(), '%jitcompare -b numba --budget 1 smooth(a, 20)');
    await picture(page, 'compare-function');
    assert.equal((await sources(page)).length, 3, 'nothing is inserted before the click');
    await sidebar.locator('button:has-text("Insert and run")').click();

    // progress, in the cell and in the sidebar
    await page.waitForSelector('.jp-OutputArea .jm-progress');
    await sidebar.locator('.jp-jitmagic-progress .jm-progress').waitFor();
    await picture(page, 'progress');
    assert.equal((await sources(page))[2], '%jitcompare -b numba --budget 1 smooth(a, 20)');

    // each tab
    await page.waitForSelector('.jp-OutputArea [role=tab]', { timeout: PATIENCE });
    await sidebar.locator('.jp-jitmagic-progress').waitFor({ state: 'hidden' });
    const output = cellAt(page, 2).locator('.jitmagic');
    const tabs = await output.locator('[role=tab]').allInnerTexts();
    assert.deepEqual(
      tabs.map(text => text.replace(/ \(\d+\)$/, '')),
      ['Speed', 'Code', 'Gotchas', 'Machine']
    );
    await output.locator('.jm-charted').first().waitFor();
    for (const tab of tabs) {
      await output.locator('[role=tab]', { hasText: tab }).click();
      const text = await output.locator('[role=tabpanel]:not([hidden])').innerText();
      assert.ok(text.trim().length > 20, `the tab ${tab} shows something`);
      await picture(page, `tab-${tab.toLowerCase().replace(/\W.*/, '')}`);
    }

    // from a gotcha to its line, and to its page
    await output.locator('[role=tab]:has-text("Gotchas")').click();
    await output.locator('button.jm-link:has-text("line 4")').first().click();
    await page.waitForFunction(() => {
      const { content } = window.jupyterapp.shell.currentWidget;
      return content.activeCellIndex === 1 && content.activeCell.editor.getCursorPosition().line === 3;
    });
    await output.locator('button.jm-link[title^="What "]').first().click();
    await page.locator('.jp-Dialog .jp-jitmagic-page:has-text("NB-")').waitFor();
    await picture(page, 'explanation');
    await page.click('.jp-Dialog button:has-text("Close")');

    // the list in the sidebar
    const item = sidebar.locator('.jp-jitmagic-items > li');
    assert.equal(await item.count(), 1);
    assert.match(await item.innerText(), /smooth\(a, 20\)/);
    await item.locator('summary').click();
    const saved = await page.evaluate(mime => {
      const { outputs } = window.jupyterapp.shell.currentWidget.content.widgets[2].model;
      return outputs.get(outputs.length - 1).data[mime];
    }, MIME);
    assert.equal(await item.locator('.jp-jitmagic-variants > li').count(), saved.variants.length + 1);
    await cellAt(page, 0).click();
    await item.locator('.jp-jitmagic-go').click();
    assert.equal(await page.evaluate(() => window.jupyterapp.shell.currentWidget.content.activeCellIndex), 2);

    // insert: from the result and from the list
    await output.locator('[role=tab]:has-text("Code")').click();
    await output.locator('button:has-text("Insert below")').first().click();
    await page.waitForFunction(() => window.jupyterapp.shell.currentWidget.content.widgets.length === 5);
    assert.match((await sources(page))[3], /import|def /);
    const insert = item.locator('.jp-jitmagic-variants button').first();
    const label = await insert.getAttribute('title');
    await insert.click();
    await page.waitForFunction(() => window.jupyterapp.shell.currentWidget.content.widgets.length === 6);
    const variant = saved.variants.find(each => label.includes(`of ${each.name} `));
    assert.equal((await sources(page))[3], variant.source);

    // a verified variant takes the place of the function, in a cell that is seen
    await output.locator('button:has-text("Use it")').first().click();
    await page.waitForFunction(() => window.jupyterapp.shell.currentWidget.content.widgets.length === 7);
    await page.waitForFunction(() => window.jupyterapp.shell.currentWidget.content.widgets[3].model.executionCount);
    assert.equal(await cellAt(page, 3).locator('.jp-OutputArea-output').count(), 0, 'it ran without an error');

    // marks in the editor
    const marks = cellAt(page, 1).locator('.cm-lintRange');
    const placed = saved.gotchas.filter(gotcha => gotcha.line !== null);
    assert.ok(placed.length > 0, 'this function meets a gotcha');
    await marks.first().waitFor();
    await command(page, 'notebook:enter-command-mode');
    await marks.first().hover();
    const hint = page.locator('.cm-tooltip .jp-jitmagic-hint');
    await hint.first().waitFor();
    assert.match(await hint.first().innerText(), /numba|all/);
    await picture(page, 'marks');
    await page.mouse.move(5, 5);
    const marked = await marks.count();
    const edit = source =>
      page.evaluate(text => {
        const { sharedModel } = window.jupyterapp.shell.currentWidget.content.widgets[1].model;
        sharedModel.setSource(text);
      }, source);
    await edit(FUNCTION.replace('* 0.5', '* 0.25'));
    await page.waitForFunction(
      () => window.jupyterapp.shell.currentWidget.content.widgets[1].node.querySelectorAll('.cm-lintRange').length === 0
    );
    await edit(FUNCTION);
    await marks.first().waitFor();
    assert.equal(await marks.count(), marked, 'the marks are back with the text');
    await command(page, 'jitmagic:toggle-marks');
    await marks.first().waitFor({ state: 'detached' });
    await command(page, 'jitmagic:toggle-marks');
    await marks.first().waitFor();

    // the dark theme
    await command(page, 'apputils:change-theme', { theme: 'JupyterLab Dark' });
    await page.waitForFunction(() => document.body.dataset.jpThemeLight === 'false');
    await output.locator('[role=tab]:has-text("Speed")').click();
    await page.waitForTimeout(500);
    await picture(page, 'dark');
    for (const selector of ['.jp-OutputArea .jitmagic', '#jitmagic-sidebar .jp-jitmagic-go', '.jp-jitmagic-preview']) {
      const contrast = await contrastOf(page, selector);
      assert.ok(contrast >= 4.5, `${selector} has a contrast of ${contrast.toFixed(1)}`);
    }
    await command(page, 'apputils:change-theme', { theme: 'JupyterLab Light' });

    // what the machine has, on a click and not before
    await sidebar.locator('.jp-jitmagic-title:has-text("Devices")').click();
    assert.equal(await sidebar.locator('.jp-jitmagic-devices dt').count(), 0);
    await sidebar.locator('button:has-text("Look for devices")').click();
    await sidebar.locator('.jp-jitmagic-devices dt:has-text("cpu")').waitFor();
    assert.match(await sidebar.locator('.jp-jitmagic-devices').innerText(), /Numba[\s\S]*numba \d/);
    await picture(page, 'devices');

    // a cleared output takes its comparison and its marks along
    await command(page, 'docmanager:save');
    const where = (await sources(page)).indexOf('%jitcompare -b numba --budget 1 smooth(a, 20)');
    await page.evaluate(
      index => window.jupyterapp.shell.currentWidget.content.widgets[index].model.clearExecution(),
      where
    );
    await marks.first().waitFor({ state: 'detached' });
    await item.waitFor({ state: 'detached' });
  });

  onPage('a comparison is stopped from the sidebar, and what is done is kept', {}, async page => {
    const run = codeCell('%jitcompare -b numba --budget 60 smooth(a, 20)');
    writeNotebook(server, 'stop.ipynb', [codeCell(SETUP), codeCell(FUNCTION), run]);
    await openNotebook(page, server, 'stop.ipynb');
    await command(page, 'jitmagic:show-sidebar');
    await command(page, 'notebook:run-all-cells', {}, false);
    const progress = page.locator('#jitmagic-sidebar .jp-jitmagic-progress');
    await progress.locator('.jm-progress').waitFor({ timeout: PATIENCE });
    await page.waitForFunction(
      () => /timing/.test(document.querySelector('#jitmagic-sidebar .jp-jitmagic-progress').innerText),
      null,
      { timeout: PATIENCE }
    );
    await progress.locator('button:has-text("Stop")').click();
    await page.waitForSelector('.jp-OutputArea [role=tab]', { timeout: 30_000 });
    assert.match(await page.locator('.jp-OutputArea .jitmagic').innerText(), /Interrupted after/);
    assert.deepEqual(await errorBoxes(page), []);
    await picture(page, 'stopped');
  });

  onPage('two runs side by side', {}, async page => {
    const a = record('many');
    const b = structuredClone(a);
    b.created = new Date(Date.parse(a.created) + 3_600_000).toISOString();
    b.libraries = { ...a.libraries, numba: '99.9.9' };
    for (const variant of b.variants.filter(each => each.name === 'numba' && each.clocks.run)) {
      for (const key of ['median', 'low', 'high']) {
        variant.clocks.run[key] /= 2;
      }
    }
    const cells = [codeCell('smooth(a, 40)', [resultOutput(a)], 1), codeCell('smooth(a, 40)', [resultOutput(b)], 2)];
    writeNotebook(server, 'two.ipynb', cells, 'no-such-kernel');
    await openNotebook(page, server, 'two.ipynb', { kernel: false });
    await command(page, 'jitmagic:show-sidebar');
    const boxes = page.locator('.jp-jitmagic-items input');
    await boxes.nth(1).check();
    await boxes.nth(0).check();
    await picture(page, 'two-chosen');
    await page.click('button:has-text("Compare the two runs")');
    const view = page.locator('.jp-jitmagic-two');
    await view.waitFor();
    assert.equal(await view.locator('tr[data-change="faster"]').count(), 1);
    assert.match(await view.locator('tr[data-change="faster"]').innerText(), /numba/);
    assert.match(await view.innerText(), /99\.9\.9/);
    await picture(page, 'two-runs');
  });

  onPage('a saved notebook without kernel and without trust shows its results', {}, async page => {
    const saved = readNotebook(server, 'live.ipynb');
    // other content than what was signed: nobody vouches for it
    saved.cells.push(codeCell('added = "elsewhere"'));
    writeNotebook(server, 'later.ipynb', saved.cells, 'no-such-kernel');
    await openNotebook(page, server, 'later.ipynb', { kernel: false });
    await page.waitForSelector('.jp-OutputArea .jitmagic [role=tab]');
    assert.equal(
      await page.evaluate(mime => {
        const cells = window.jupyterapp.shell.currentWidget.content.widgets.filter(each => each.model.type === 'code');
        const all = cells.flatMap(({ model }) =>
          Array.from({ length: model.outputs.length }, (_, i) => model.outputs.get(i))
        );
        return all.filter(output => mime in output.data).some(output => output.trusted);
      }, MIME),
      false
    );
    const output = page.locator('.jp-OutputArea .jitmagic').first();
    assert.match(await output.innerText(), /smooth\(a, 20\)/);
    await output.locator('[role=tab]:has-text("Code")').click();
    assert.equal(await output.locator('button:has-text("Use it")').count(), 0, 'nothing of a stranger is run');
    assert.deepEqual(await errorBoxes(page), []);
    await command(page, 'jitmagic:show-sidebar');
    assert.equal(await page.locator('.jp-jitmagic-items > li').count(), 1);
    await picture(page, 'no-kernel');
  });

  onPage('the same through nbconvert', {}, async page => {
    execFileSync(
      join(BIN, 'jupyter'),
      ['nbconvert', '--to', 'html', '--template', 'basic', '--output', 'later.html', 'later.ipynb'],
      { cwd: server.root, env: server.env, stdio: 'pipe' }
    );
    await page.goto(pathToFileURL(join(server.root, 'later.html')).href);
    const text = await page.locator('body').innerText();
    assert.match(text, /smooth\(a, 20\)/);
    assert.match(text, /numba-parallel/);
    assert.doesNotMatch(text, /Error displaying|Traceback/);
    await picture(page, 'nbconvert');
  });

  onPage('a newer record and a broken one are said in a sentence', {}, async page => {
    const broken = record('sample');
    broken.variants[0].clocks = 'fast';
    const cells = [
      codeCell('a', [resultOutput({ ...record('sample'), schema: 'jitmagic/v9' })], 1),
      codeCell('b', [resultOutput(broken)], 2),
      codeCell('c', [resultOutput('<img src=x onerror="window.ran = 1">')], 3)
    ];
    writeNotebook(server, 'odd.ipynb', cells, 'no-such-kernel');
    await openNotebook(page, server, 'odd.ipynb', { kernel: false });
    const said = page.locator('.jp-jitmagic-complaint');
    await said.nth(2).waitFor();
    assert.match(await said.nth(0).innerText(), /jitmagic\/v9.*pip install --upgrade/);
    assert.match(await said.nth(1).innerText(), /no valid jitmagic comparison/);
    assert.match(await said.nth(2).innerText(), /does not/);
    assert.equal(await page.evaluate(() => window.ran), undefined);
    await picture(page, 'odd-records');
  });

  onPage('hostile strings in every field change no structure and run nothing', {}, async page => {
    const plain = record('sample');
    const hostile = [...hostileTexts()].map(text => poisoned(plain, text));
    const cells = [plain, ...hostile].map((value, index) => codeCell(`# ${index}`, [resultOutput(value)], index + 1));
    writeNotebook(server, 'hostile.ipynb', cells, 'no-such-kernel');
    await openNotebook(page, server, 'hostile.ipynb', { kernel: false });
    await command(page, 'jitmagic:show-sidebar');
    const items = page.locator('.jp-jitmagic-items > li');
    await items.nth(cells.length - 1).waitFor();
    for (const summary of await items.locator('summary').all()) {
      await summary.click();
    }
    const shapes = await items.evaluateAll(all =>
      all.map(item => [...item.querySelectorAll('*')].map(each => each.tagName).join())
    );
    assert.deepEqual(new Set(shapes).size, 1, 'every item has the same elements');
    for (let index = 0; index < cells.length; index++) {
      await page.evaluate(at => window.jupyterapp.shell.currentWidget.content.scrollToItem(at), index);
      await cellAt(page, index).locator('.jitmagic [role=tab]').first().waitFor();
      const found = await cellAt(page, index).evaluate(node => ({
        scripts: node.querySelectorAll('.jitmagic script, .jitmagic iframe, .jitmagic img, .jitmagic object').length,
        tabs: node.querySelectorAll('.jitmagic [role=tab]').length,
        handlers: [...node.querySelectorAll('.jitmagic *')].filter(each =>
          [...each.attributes].some(a => /^on/.test(a.name))
        ).length
      }));
      assert.deepEqual(found, { scripts: 0, tabs: 4, handlers: 0 });
    }
    const boxes = page.locator('.jp-jitmagic-items input');
    await boxes.nth(1).check();
    await boxes.nth(2).check();
    await page.click('button:has-text("Compare the two runs")');
    await page.locator('.jp-jitmagic-two table').first().waitFor();
    assert.equal(await page.locator('.jp-jitmagic-two').locator('script, img, iframe').count(), 0);
    assert.equal(await page.evaluate(() => window.ran), undefined);
    await picture(page, 'hostile');
  });

  test('fifty comparisons: the sidebar is painted in under 200 ms', { timeout: PATIENCE }, async () => {
    const cells = Array.from({ length: 50 }, (_, index) => {
      const value = record(index % 2 ? 'many' : 'sample');
      value.workload.call = `fn_${index}(x)`;
      return codeCell(`fn_${index}(x)`, [resultOutput(value)], index + 1);
    });
    writeNotebook(server, 'fifty.ipynb', cells, 'no-such-kernel');
    // other programs can only make it slower: the quickest of a few fresh pages says most of us
    const all = [];
    while (all.length < 4 && !all.some(taken => taken.paint < 200)) {
      const page = await newPage(browser);
      await openNotebook(page, server, 'fifty.ipynb', { kernel: false });
      await page.waitForTimeout(3000);
      await command(page, 'jitmagic:show-sidebar');
      await page.waitForFunction(() => performance.getEntriesByName('jitmagic:sidebar', 'measure').length > 0);
      assert.equal(await page.locator('.jp-jitmagic-items > li').count(), 50);
      all.push(
        await page.evaluate(() => ({
          paint: performance.getEntriesByName('jitmagic:sidebar', 'measure')[0].duration,
          list: Math.max(...performance.getEntriesByName('jitmagic:list', 'measure').map(each => each.duration))
        }))
      );
      assert.deepEqual(page.faults, []);
      await picture(page, 'fifty');
      await page.context().close();
    }
    for (const { paint, list } of all) {
      console.log(
        `fifty comparisons: first paint of the sidebar ${paint.toFixed(0)} ms, its list ${list.toFixed(0)} ms`
      );
    }
    writeFileSync(join(ARTEFACTS, 'fifty.json'), JSON.stringify(all));
    assert.ok(Math.min(...all.map(taken => taken.paint)) < 200);
  });
});

describe('Notebook 7', { concurrency: 1 }, () => {
  let server;
  before(async () => {
    server = await startServer(BIN, 'notebook', join(ARTEFACTS, 'notebook.log'));
  });
  after(async () => {
    await server?.stop();
  });

  onPage('the result and the sidebar', {}, async page => {
    writeNotebook(server, 'seven.ipynb', [codeCell(SETUP), codeCell(FUNCTION)]);
    await openNotebook(page, server, 'seven.ipynb');
    await command(page, 'notebook:run-all-cells');
    await putCursor(page, 1, 'total * 0.9');
    await command(page, 'jitmagic:compare-function');
    const sidebar = page.locator('#jitmagic-sidebar');
    await sidebar.locator('.jp-jitmagic-compare input').fill('smooth(a, 5)');
    await sidebar.locator('.jp-jitmagic-title:has-text("Options")').click();
    await sidebar.locator('.jp-jitmagic-options label:has-text("Seconds for timing") input').fill('0.5');
    await sidebar.locator('.jp-jitmagic-options label:has-text("Seconds for timing") input').press('Tab');
    await sidebar.locator('button:has-text("Insert and run")').click();
    await page.waitForSelector('.jp-OutputArea .jm-progress');
    assert.equal((await sources(page))[2], '%jitcompare --budget 0.5 smooth(a, 5)');
    await page.waitForSelector('.jp-OutputArea .jitmagic [role=tab]', { timeout: PATIENCE });
    await sidebar.locator('.jp-jitmagic-items > li').waitFor();
    assert.deepEqual(await errorBoxes(page), []);
    await picture(page, 'notebook-7');
  });
});

/** Luminance contrast (WCAG) between an element's text and what is behind it. */
function contrastOf(page, selector) {
  return page
    .locator(selector)
    .first()
    .evaluate(element => {
      const parse = color => (color.match(/[\d.]+/g) ?? []).map(Number);
      const luminance = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map(v =>
          v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4
        );
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
      };
      let behind = element;
      while (behind && (parse(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) {
        behind = behind.parentElement;
      }
      const one = luminance(parse(getComputedStyle(element).color));
      const other = luminance(behind ? parse(getComputedStyle(behind).backgroundColor) : [255, 255, 255]);
      return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    });
}

function* hostileTexts() {
  yield '<script>window.ran = 1</script><img src=x onerror="window.ran = 2">';
  yield '"><svg onload=alert(1)>\'; window.ran = 3; //';
  yield '\u0000\u001b[2J\u202e\u2028\u200b{{7*7}}${window.ran = 4}';
  yield 'x'.repeat(1_000_000);
  yield 'javascript:window.ran=5';
}

/** A record with a text in every field that holds text, but for those whose words are fixed. */
function poisoned(value, text) {
  const fixed = new Set(['schema', 'status', 'verdict', 'severity', 'build_cache', 'created']);
  let number = 0;
  const walk = (each, key) => {
    if (typeof each === 'string') {
      // name and device together must stay unique
      number += 1;
      return fixed.has(key) ? each : text.length > 1000 ? each + text.slice(0, 20_000) : `${text}${number}`;
    }
    if (Array.isArray(each)) {
      return each.map(one => walk(one, key));
    }
    return each && typeof each === 'object'
      ? Object.fromEntries(Object.entries(each).map(([name, one]) => [name, walk(one, name)]))
      : each;
  };
  const made = walk(value, '');
  if (text.length > 1000) {
    made.workload.name = made.workload.call = made.variants[0].name = text;
  }
  if (made.recommendation) {
    made.recommendation.variant = made.variants[0].name;
  }
  return made;
}
