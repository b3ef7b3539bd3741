// Two runs side by side.

import { compareRuns, type Pair, type TwoRuns } from '../record/two-runs';
import { cut, line } from '../view/clean';
import { h } from '../view/dom';
import { speedup } from '../view/figures';
import type { JitmagicRecord } from '../view/record';
import type { Row } from '../view/rows';
import { sign } from './list-section';

const TEXT = 120;
const CHANGES: { [change: string]: string } = {
  faster: '▲',
  slower: '▼',
  'no clear difference': '≈',
  'not comparable': '–',
  'only in A': 'A',
  'only in B': 'B'
};

/** Draws two records; `a` is the older one. */
export function twoRunsView(a: JitmagicRecord, b: JitmagicRecord): HTMLElement {
  const runs = compareRuns(a, b);
  return h(
    'div',
    { class: 'jp-jitmagic-two' },
    h('p', {}, title('A', a)),
    h('p', {}, title('B', b)),
    runs.cautions.length > 0 &&
      h('ul', { class: 'jp-jitmagic-cautions' }, ...runs.cautions.map(each => h('li', {}, line(each)))),
    figures(runs),
    h(
      'p',
      { class: 'jp-jitmagic-faint' },
      'The two runs were not interleaved: the interval of B against A is the widest that both clocks allow, and the ' +
        'machine may have changed between them.'
    ),
    environment(runs)
  );
}

function title(name: string, record: JitmagicRecord): HTMLElement {
  const made = new Date(record.created);
  const when = Number.isNaN(made.getTime()) ? line(record.created) : made.toLocaleString();
  return h(
    'span',
    {},
    h('strong', {}, `${name}  `),
    h('code', {}, cut(line(record.workload.call), TEXT)),
    `  ${cut(when, TEXT)}`
  );
}

function figures({ rows }: TwoRuns): HTMLElement {
  const head = (text: string, span = 1) => h('th', { scope: span > 1 ? 'colgroup' : 'col', colspan: span }, text);
  const figure = (text: string) => h('th', { scope: 'col', class: 'jp-jitmagic-figure' }, text);
  const columns = ['run', '× NumPy', 'run', '× NumPy'];
  return h(
    'div',
    { class: 'jp-jitmagic-scroll' },
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h('tr', {}, head(''), head(''), head('A', 2), head('B', 2)),
        h('tr', {}, head('variant'), head('B against A'), ...columns.map(figure))
      ),
      h('tbody', {}, ...rows.map(pairRow))
    )
  );
}

function pairRow(pair: Pair): HTMLElement {
  const [ratio, interval] = pair.ratio ? speedup(pair.ratio) : ['', ''];
  const changed = pair.change === 'faster' || pair.change === 'slower';
  return h(
    'tr',
    { 'data-change': pair.change, title: ratio && `B ran at ${ratio} A's speed${interval && ` (${interval})`}` },
    h('th', { scope: 'row' }, cut(pair.label, TEXT)),
    h(
      'td',
      {},
      h(
        'span',
        { class: 'jp-jitmagic-sign', 'data-verdict': pair.change, 'aria-hidden': 'true' },
        CHANGES[pair.change]
      ),
      changed ? h('strong', {}, `${pair.change} ${ratio}`) : pair.change,
      changed && interval && h('span', { class: 'jp-jitmagic-faint' }, ` (${interval})`)
    ),
    ...side(pair.a),
    ...side(pair.b)
  );
}

function side(row: Row | null): HTMLElement[] {
  if (!row) {
    return [h('td', { colspan: 2, class: 'jp-jitmagic-faint' }, 'not in this run')];
  }
  if (!row.timed) {
    return [h('td', { colspan: 2 }, sign(row), ` ${row.verdict}`)];
  }
  return [h('td', { class: 'jp-jitmagic-figure' }, row.run), h('td', { class: 'jp-jitmagic-figure' }, row.speedup)];
}

function environment({ environment: found }: TwoRuns): HTMLElement {
  if (found.length === 0) {
    return h('p', {}, 'Machine, libraries, options and arguments are the same.');
  }
  return h(
    'table',
    {},
    h('caption', {}, 'What else differs'),
    h(
      'thead',
      {},
      h('tr', {}, h('th', { scope: 'col' }, ''), h('th', { scope: 'col' }, 'A'), h('th', { scope: 'col' }, 'B'))
    ),
    h(
      'tbody',
      {},
      ...found.map(({ what, a, b }) =>
        h(
          'tr',
          { class: 'jp-jitmagic-wraps' },
          h('th', { scope: 'row' }, cut(line(what), TEXT)),
          ...[a, b].map(each => h('td', {}, cut(line(each), TEXT)))
        )
      )
    )
  );
}
