// Notebooks for the tests, and what a test does in an open one.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const MIME = 'application/vnd.jitmagic.v1+json';
const RECORDS = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'tests', 'report', 'records');

/** One of the records that the Python tests are made with. */
export function record(name) {
  return JSON.parse(readFileSync(join(RECORDS, `${name}.json`), 'utf8'));
}

let made = 0;

export function codeCell(source, outputs = [], count = null) {
  made += 1;
  return { cell_type: 'code', id: `cell-${made}`, source, metadata: {}, outputs, execution_count: count };
}

/** An output as a saved comparison leaves it. */
export function resultOutput(value, text = 'the result as text') {
  return { output_type: 'display_data', metadata: {}, data: { 'text/plain': text, [MIME]: value } };
}

/** Writes a notebook; a kernel of a name that nobody has leaves it without one. */
export function writeNotebook(server, name, cells, kernel = 'python3') {
  // JupyterLab takes another kernel of the same language where that of the name is missing
  const language = kernel === 'python3' ? 'python' : kernel;
  const content = {
    cells,
    metadata: { kernelspec: { name: kernel, display_name: kernel, language }, language_info: { name: language } },
    nbformat: 4,
    nbformat_minor: 5
  };
  writeFileSync(join(server.root, name), JSON.stringify(content));
}

export function readNotebook(server, name) {
  return JSON.parse(readFileSync(join(server.root, name), 'utf8'));
}

/** Opens a notebook and waits until it is there, with its kernel where it has one. */
export async function openNotebook(page, server, name, { kernel = true } = {}) {
  const path = server.app === 'lab' ? 'lab/tree' : 'notebooks';
  await page.goto(`${server.url}/${path}/${name}?reset&token=${server.token}`);
  await page.waitForSelector('.jp-Notebook .jp-Cell');
  if (!kernel) {
    await page.click('.jp-Dialog button:has-text("No Kernel")');
  }
  await page.waitForFunction(wanted => {
    const panel = window.jupyterapp?.shell.currentWidget;
    const status = panel?.sessionContext?.session?.kernel?.status;
    return panel?.content?.widgets?.length > 0 && (!wanted || status === 'idle');
  }, kernel);
}

/** Runs a command of the application, and waits for it where asked. */
export async function command(page, id, args = {}, wait = true) {
  await page.evaluate(
    ([id, args, wait]) => {
      const done = window.jupyterapp.commands.execute(id, args);
      return wait ? done.then(() => undefined) : undefined;
    },
    [id, args, wait]
  );
}

/** The sources of the cells. */
export function sources(page) {
  return page.evaluate(() =>
    window.jupyterapp.shell.currentWidget.content.widgets.map(widget => widget.model.sharedModel.getSource())
  );
}

/** The n-th cell (from 0). */
export function cellAt(page, number) {
  return page.locator('.jp-Notebook .jp-Cell').nth(number);
}

/** Puts the cursor into a cell at a text. */
export async function putCursor(page, number, text) {
  await page.evaluate(
    ([number, text]) => {
      const { content } = window.jupyterapp.shell.currentWidget;
      content.activeCellIndex = number;
      content.mode = 'edit';
      const { editor, model } = content.widgets[number];
      editor.setCursorPosition(editor.getPositionAt(model.sharedModel.getSource().indexOf(text)));
      editor.focus();
    },
    [number, text]
  );
}

/** What no page may show: JupyterLab's own complaints about an output. */
export async function errorBoxes(page) {
  const texts = await page.locator('.jp-OutputArea').allInnerTexts();
  const said = texts.filter(text =>
    /Error displaying widget|Javascript Error|Error rendering|model not found/i.test(text)
  );
  const boxes = await page.locator('.jp-RenderedText[data-mime-type="application/vnd.jupyter.stderr"]').allInnerTexts();
  return [...said, ...boxes];
}
