// A real Chromium that sees 127.0.0.1 and nothing else, and a page of it that remembers what went wrong.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Starts the browser; JITMAGIC_CHROMIUM names it where it is not at a usual place. */
export async function startBrowser() {
  const path = [process.env.JITMAGIC_CHROMIUM, ...PLACES].find(each => each && existsSync(each));
  if (!path) {
    throw new Error(`there is no Chromium at ${PLACES.join(', ')}: install it, or name it with JITMAGIC_CHROMIUM`);
  }
  return chromium.launch({
    executablePath: path,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--font-render-hinting=none',
      // the network is off: no name is resolved, and what is asked all the same fails the test
      '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'
    ]
  });
}

/** Opens a page of its own; `page.faults` collects what no page of ours may do. */
export async function newPage(browser, { dark = false, width = 1360, height = 900 } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    permissions: ['clipboard-read', 'clipboard-write']
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.faults = [];
  page.on('request', request => {
    const url = new URL(request.url());
    if (['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol) && url.hostname !== '127.0.0.1') {
      page.faults.push(`a request left the machine: ${request.url()}`);
    }
  });
  page.on('pageerror', error => {
    const told = String(error.stack ?? error);
    // Notebook 7.6 throws this at each start by itself, in the settings of its shortcuts, whatever extensions there are
    if (!/reading 'schema'[\s\S]*\/static\/notebook\/notebook_core/.test(told)) {
      page.faults.push(`an exception in the page: ${told}`);
    }
  });
  page.on('dialog', dialog => {
    // leaving a changed notebook asks; anything else was made by what should not run
    if (dialog.type() !== 'beforeunload') {
      page.faults.push(`the page showed a dialog: ${dialog.message()}`);
    }
    void dialog.accept();
  });
  return page;
}

/** Keeps a picture of the page among the artefacts. */
export async function picture(target, name) {
  const folder = process.env.JITMAGIC_UI_ARTEFACTS ?? 'ui-artefacts';
  mkdirSync(folder, { recursive: true });
  await target.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' });
}
