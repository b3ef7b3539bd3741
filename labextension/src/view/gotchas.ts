/** The tab *Gotchas*: what to watch out for, at which line; by severity, filtered by backend. */

import * as clean from './clean';
import { freshId, h, prose } from './dom';
import * as figures from './figures';
import type { Shown } from './result';
import * as rows from './rows';

const LONGEST = 2000;
const ALL = 'all backends';

export function gotchas(shown: Shown): HTMLElement {
  const found = rows.hints(shown.record);
  if (!found.length) {
    return h('p', {}, 'Nothing to watch out for was found in this function.');
  }
  const list = h('div', {});
  const backends = [...new Set(found.map(hint => hint.backend))].filter(name => name !== 'all').sort();
  const fill = (backend: string): void => {
    const of = found.filter(hint => backend === ALL || hint.backend === backend || hint.backend === 'all');
    list.replaceChildren(...groups(of, shown));
  };
  fill(ALL);
  if (backends.length < 2) {
    return list;
  }
  const id = freshId('filter');
  const options = [ALL, ...backends].map(name => h('option', { value: name }, clean.cut(name, 40)));
  const select = h('select', { id }, ...options) as HTMLSelectElement;
  select.addEventListener('change', () => fill(select.value));
  return h('div', {}, h('p', { class: 'jm-controls' }, h('label', { for: id }, 'Show '), select), list);
}

function groups(found: rows.Hint[], shown: Shown): HTMLElement[] {
  const pressing = found.filter(hint => hint.attention);
  const others = found.filter(hint => !hint.attention);
  const made = bySeverity(pressing, shown);
  if (!pressing.length) {
    made.push(h('p', {}, 'Nothing here asks for your attention.'));
  }
  if (others.length) {
    const known = `${figures.plural(others.length, 'known trap')} avoided by the variants or not seen with these inputs`;
    made.push(h('details', {}, h('summary', {}, known), ...bySeverity(others, shown)));
  }
  return made;
}

function bySeverity(found: rows.Hint[], shown: Shown): HTMLElement[] {
  return Object.entries(rows.SEVERITIES).flatMap(([severity, title]) => {
    const of = found.filter(hint => hint.severity === severity);
    return of.length
      ? [h('h4', {}, title), h('ul', { class: 'jm-hints' }, ...of.map(hint => one(hint, shown)))]
      : [];
  });
}

function one(hint: rows.Hint, { host }: Shown): HTMLElement {
  const { line } = hint;
  const where = line === null ? 'the whole function' : `line ${line}`;
  const place =
    line !== null && host.goToLine
      ? h('button', { type: 'button', class: 'jm-link', onclick: () => host.goToLine?.(line) }, where)
      : h('span', {}, where);
  const code = clean.cut(hint.code, 40);
  const named = host.explain
    ? h(
        'button',
        { type: 'button', class: 'jm-link', title: `What ${code} means`, onclick: () => host.explain?.(hint.code) },
        code
      )
    : h('span', {}, code);
  return h(
    'li',
    {},
    h(
      'div',
      { class: 'jm-hint-head' },
      h('strong', {}, place),
      ' ',
      named,
      h('span', { class: 'jm-faint' }, ` ${clean.cut(hint.backend, 40)}; ${clean.line(hint.state)}`)
    ),
    hint.quoted && h('code', { class: 'jm-quoted' }, ...quoted(hint)),
    h('div', {}, ...prose(clean.cut(hint.message, LONGEST))),
    hint.fix && h('div', {}, '→ ', ...prose(clean.cut(hint.fix, LONGEST))),
    hint.link && h('a', { href: hint.link, target: '_blank', rel: 'noopener noreferrer' }, 'Documentation')
  );
}

function quoted(hint: rows.Hint): (Node | string)[] {
  const show = (text: string): string => clean.block(text).replace(/\n/g, ' ');
  if (!hint.span || hint.quoted.length > 200) {
    return [clean.cut(show(hint.quoted), 200)];
  }
  const [start, stop] = hint.span;
  const { quoted: text } = hint;
  return [show(text.slice(0, start)), h('mark', {}, show(text.slice(start, stop))), show(text.slice(stop))];
}
