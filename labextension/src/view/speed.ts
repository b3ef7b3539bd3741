/** The tab *Speed*: how many times NumPy's speed, with intervals; what it costs to build; and why not. */

import { bokehOr } from './chart';
import * as circumstances from './circumstances';
import * as clean from './clean';
import { h, prose } from './dom';
import * as figures from './figures';
import type { Shown } from './result';
import { before, type Row } from './rows';

const NAME = 40;
const REASON = 400;
/** A span of ratios from which on a logarithmic axis tells more. */
const WIDE = 20;

type Column = [string, (row: Row) => string];

export function speed(shown: Shown): HTMLElement {
  const { rows } = shown;
  const timed = rows.filter(row => row.timed);
  const table = h('div', {});
  const chart = h('div', { class: 'jm-chart' });
  const root = h('div', {});
  let log = span(timed) > WIDE;

  const draw = (): void => {
    table.replaceChildren(tableOf(rows, log));
    bokehOr(chart, shown, log ? 'speed-log' : 'speed', drawn => root.classList.toggle('jm-charted', drawn));
  };
  if (timed.length > 1) {
    const choices: [string, boolean][] = [['linear', false], ['log', true]];
    const buttons = choices.map(([name, value]) =>
      h(
        'button',
        {
          type: 'button',
          class: 'jm-button',
          'aria-pressed': String(value === log),
          onclick: () => {
            log = value;
            buttons.forEach((one, index) => one.setAttribute('aria-pressed', String(choices[index][1] === log)));
            draw();
          }
        },
        name
      )
    );
    root.append(
      h('div', { class: 'jm-controls jm-right', role: 'group', 'aria-label': 'Axis' }, h('span', { class: 'jm-faint' }, 'axis'), ...buttons)
    );
  }
  root.append(chart, table);
  const earlier = against(shown);
  if (earlier) {
    root.append(earlier);
  }
  const near = circumstances.near(shown.record);
  if (near.length) {
    root.append(
      h('p', { class: 'jm-faint' }, "Near this machine's limits"),
      h('ul', { class: 'jm-conditions' }, ...near.map(one => h('li', {}, clean.cut(one, REASON))))
    );
  }
  draw();
  return root;
}

/** Draws what changed against the run before. */
function against(shown: Shown): HTMLElement | null {
  const found = before(shown.record);
  if (!found) {
    return null;
  }
  return h(
    'div',
    { class: 'jm-before' },
    h(
      'table',
      { class: 'jm-variants' },
      h('caption', {}, clean.cut(found.caption, REASON)),
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'variant'), h('th', { scope: 'col' }, 'this run'))),
      h(
        'tbody',
        {},
        ...found.lines.map(([sign, label, told]) =>
          h(
            'tr',
            {},
            h('th', { scope: 'row' }, clean.cut(label, NAME)),
            h('td', {}, h('span', { 'aria-hidden': 'true' }, `${sign} `), clean.cut(told, REASON))
          )
        )
      )
    ),
    found.notes.length > 0 &&
      h('ul', { class: 'jm-conditions' }, ...found.notes.map(note => h('li', {}, ...prose(clean.cut(note, REASON)))))
  );
}

function span(timed: Row[]): number {
  const ratios = timed.map(row => row.ratio ?? 1);
  return Math.max(...ratios, 1) / Math.min(...ratios, 1);
}

function tableOf(rows: Row[], log: boolean): HTMLElement {
  const axis = scale(rows, log);
  const columns: Column[] = [['run', row => row.run]];
  if (rows.some(row => row.moved)) {
    columns.push(['end to end', row => row.endToEnd]);
  }
  columns.push(
    ['build', row => row.build],
    ['break-even calls', row => row.breakEven],
    ['largest error', row => row.error]
  );
  const used = columns.filter(([, text]) => rows.some(row => text(row) !== figures.MISSING));
  const head = h(
    'tr',
    {},
    h('th', { scope: 'col' }, 'variant'),
    h('th', { scope: 'col' }, 'verdict'),
    h('th', { scope: 'col', colspan: 2 }, 'speed against NumPy'),
    ...used.map(([name]) => h('th', { scope: 'col', class: 'jm-figure' }, name))
  );
  return h(
    'div',
    { class: 'jm-scroll' },
    h(
      'table',
      { class: 'jm-variants' },
      h('caption', {}, 'The variants, the fastest first; in brackets the interval of each ratio'),
      h('thead', {}, head),
      h('tbody', {}, ...rows.map(row => line(row, used, axis)))
    )
  );
}

function line(row: Row, used: Column[], axis: Axis): HTMLElement {
  const name = h(
    'th',
    { scope: 'row', title: row.label.length > NAME ? clean.cut(row.label, 1000) : null },
    row.recommended ? h('strong', {}, clean.cut(row.label, NAME)) : clean.cut(row.label, NAME),
    row.recommended && h('div', { class: 'jm-small' }, 'recommended')
  );
  const verdict = h('td', { class: 'jm-verdict' }, h('span', { class: `jm-mark ${row.but ? 'jm-slower' : tint(row)}` }, row.sign), ` ${row.verdict}`);
  if (!row.timed) {
    return h('tr', {}, name, verdict, h('td', { colspan: 2 + used.length, class: 'jm-why' }, ...why(row)));
  }
  const told = why(row);
  return h(
    'tr',
    { title: allFigures(row) },
    name,
    verdict,
    h('td', { class: 'jm-bar-cell' }, bar(row, axis)),
    h(
      'td',
      { class: 'jm-ratio' },
      h(
        'span',
        { class: 'jm-nowrap' },
        h('strong', {}, row.speedup),
        row.interval && h('span', { class: 'jm-faint' }, ` (${row.interval})`)
      ),
      ...(told.length ? [h('div', { class: 'jm-small' }, ...told)] : [])
    ),
    ...used.map(([, text]) => h('td', { class: 'jm-figure' }, text(row)))
  );
}

function tint(row: Row): string {
  return row.verdict === 'faster' ? 'jm-faster' : row.verdict === 'slower' ? 'jm-slower' : 'jm-even';
}

interface Axis {
  /** Returns where on the axis, 0 to 1, a ratio stands. */
  place: (ratio: number) => number;
  log: boolean;
}

function scale(rows: Row[], log: boolean): Axis {
  const ends = rows.filter(row => row.timed).flatMap(row => [row.ratio ?? 1, ...(row.ends ?? [])]);
  const top = Math.max(...ends, 1);
  if (!log) {
    return { log, place: ratio => Math.min(Math.max(ratio / top, 0), 1) };
  }
  const positive = ends.filter(end => end > 0);
  const bottom = Math.min(...positive, 1);
  const width = Math.log(top / bottom) || 1;
  return { log, place: ratio => Math.min(Math.max(Math.log(Math.max(ratio, bottom) / bottom) / width, 0), 1) };
}

/** Draws a bar from the axis' origin (0, or NumPy's own speed on a logarithmic axis) with its interval. */
function bar(row: Row, { place, log }: Axis): HTMLElement {
  const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;
  const one = place(1);
  const to = place(row.ratio ?? 0);
  const from = log ? one : 0;
  const [start, stop] = from < to ? [from, to] : [to, from];
  const parts = [
    h('span', { class: 'jm-one', style: `left:${percent(one)}` }),
    h('span', { class: `jm-bar ${tint(row)}`, style: `left:${percent(start)};width:${percent(Math.max(stop - start, 0.004))}` })
  ];
  if (row.ends) {
    const [low, high] = row.ends.map(place);
    parts.push(h('span', { class: 'jm-whisker', style: `left:${percent(low)};width:${percent(Math.max(high - low, 0))}` }));
  }
  return h('div', { class: 'jm-track', 'aria-hidden': true }, ...parts);
}

function why(row: Row): (Node | string)[] {
  const parts: (Node | string | null | undefined | false)[][] = [];
  if (row.reason) {
    parts.push(prose(clean.cut(row.reason, REASON)));
  }
  if (row.verdict === 'differs' && row.errorDetail) {
    parts.push([clean.cut(`largest error ${row.errorDetail}`, REASON)]);
  }
  if (row.nextStep) {
    parts.push(['→ ', ...prose(clean.cut(row.nextStep, REASON))]);
  }
  return parts.map(part => h('div', {}, ...part));
}

function allFigures(row: Row): string {
  const { run } = row.variant.clocks;
  const ends = run && run.samples > 1 ? figures.durationInterval(run.median, run.low, run.high) : '';
  return clean.cut(
    [
      row.label,
      `speed ${row.speedup}${row.interval ? ` (${row.interval})` : ''}`,
      `run ${row.run}${ends ? ` (${ends})` : ''}`,
      row.moved && `end to end ${row.endToEnd}`,
      row.build !== figures.MISSING && `build ${row.build}`,
      row.breakEven !== figures.MISSING && `break-even calls ${row.breakEven}`,
      row.error !== figures.MISSING && `largest error ${row.error}`
    ]
      .filter(Boolean)
      .join('\n'),
    1000
  );
}
