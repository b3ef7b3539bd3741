/** The whole result: the recommendation on top, then the tabs. */

import * as clean from './clean';
import { code } from './code';
import { h, prose } from './dom';
import { gotchas } from './gotchas';
import type { ViewHost } from './host';
import { machine } from './machine';
import type { JitmagicRecord } from './record';
import * as rows from './rows';
import { sizes } from './sizes';
import { speed } from './speed';
import { addStyle } from './style';
import { tabs, type Tab } from './tabs';

/** A long sentence is cut there in the head; every tab below shows it whole. */
const SENTENCE = 1000;
const CALL = 160;

/** What a tab is given. */
export interface Shown {
  record: JitmagicRecord;
  rows: rows.Row[];
  host: ViewHost;
  /** Runs when the view is taken away. */
  onDispose: (task: () => void) => void;
}

/**
 * Draws a whole record into a node, in place of what is there.
 *
 * @param node Where to draw.
 * @param record A record of the schema `jitmagic/v1`.
 * @param host What the page can do; what is not given is not offered.
 * @returns What takes the view away again.
 * @throws Error where it is no such record: nothing is drawn then.
 */
export function renderRecord(node: HTMLElement, record: JitmagicRecord, host: ViewHost = {}): () => void {
  if (record?.schema !== 'jitmagic/v1') {
    throw new Error(`this view reads records of the schema jitmagic/v1, and this is ${clean.line(record?.schema)}`);
  }
  const tasks: (() => void)[] = [];
  const shown: Shown = { record, rows: rows.rows(record), host, onDispose: task => tasks.push(task) };
  const name = clean.cut(clean.line(record.workload.name), 40);
  const root = h('section', { class: 'jitmagic', 'aria-label': `jitmagic comparison of ${name}` });
  const body = [conditions(record), warnings(record), tabs(chosen(shown))];
  if (host.folded) {
    root.append(h('details', {}, h('summary', {}, headline(record)), ...body));
  } else {
    root.append(headline(record), ...body.filter((one): one is HTMLElement => one !== null));
  }
  addStyle(node);
  node.replaceChildren(root);
  return () => {
    tasks.splice(0).forEach(task => task());
    root.remove();
  };
}

function headline(record: JitmagicRecord): HTMLElement {
  const stopped = rows.interruption(record);
  const [sentence] = rows.advice(record);
  return h(
    'div',
    { class: 'jm-headline' },
    stopped && h('p', { class: 'jm-stopped' }, `■ ${stopped}`),
    h('p', { class: 'jm-advice' }, ...prose(clean.cut(sentence, SENTENCE)))
  );
}

function conditions(record: JitmagicRecord): HTMLElement {
  const [, given] = rows.advice(record);
  const call = clean.cut(clean.line(record.workload.call), CALL);
  return h(
    'div',
    {},
    given.length > 0 &&
      h('ul', { class: 'jm-conditions' }, ...given.map(one => h('li', {}, ...prose(clean.cut(one, SENTENCE))))),
    h('p', { class: 'jm-faint' }, h('code', {}, call), ` on ${clean.cut(rows.machine(record), CALL)}`)
  );
}

function warnings(record: JitmagicRecord): HTMLElement | null {
  if (!record.warnings.length) {
    return null;
  }
  return h(
    'div',
    { class: 'jm-warnings' },
    h('strong', {}, '! Less certain than it looks'),
    h('ul', {}, ...record.warnings.map(one => h('li', {}, ...prose(clean.cut(clean.line(one), SENTENCE)))))
  );
}

function chosen(shown: Shown): Tab[] {
  const pressing = rows.hints(shown.record).filter(hint => hint.attention).length;
  const made: Tab[] = [{ title: 'Speed', draw: () => speed(shown) }];
  if (shown.record.sweep?.series?.length) {
    made.push({ title: 'Sizes', draw: () => sizes(shown) });
  }
  made.push(
    { title: 'Code', draw: () => code(shown) },
    { title: pressing ? `Gotchas (${pressing})` : 'Gotchas', draw: () => gotchas(shown) },
    { title: 'Machine', draw: () => machine(shown) }
  );
  return made;
}
