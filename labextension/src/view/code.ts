/** The tab *Code*: each variant beside the original, what changed marked by signs and tints, and what to do with it. */

import * as circumstances from './circumstances';
import * as clean from './clean';
import { paired, stretches, type Pair } from './diff';
import { freshId, h, prose } from './dom';
import * as figures from './figures';
import { highlighted, type Piece } from './highlight';
import type { JitmagicRecord } from './record';
import type { Shown } from './result';
import type { Row } from './rows';

const LONGEST_LINE = 2000;
const MOST_LINES = 3000;
const LONGEST_NOTE = 2000;
const BUILD_CACHES: Record<string, string> = {
  cold: 'cold cache', warm: 'warm cache', kept: 'in the comparison before',
};
const CLOCKS = [
  ['to_device', 'host to device'],
  ['to_host', 'device to host'],
  ['enqueue', 'asked for by the host'],
  ['on_device', "by the device's clock"]
] as const;

export function code(shown: Shown): HTMLElement {
  const { rows } = shown;
  const first = rows.findIndex(row => row.recommended && !row.baseline);
  const fastest = rows.findIndex(row => row.timed && !row.baseline);
  const start = Math.max(first >= 0 ? first : fastest, 0);
  const id = freshId('variant');
  const select = h(
    'select',
    { id },
    ...rows.map((row, index) =>
      h(
        'option',
        { value: index, selected: index === start },
        `${row.sign} ${clean.cut(row.label, 60)}${row.recommended ? ' (recommended)' : ''}`
      )
    )
  ) as HTMLSelectElement;
  const status = h('span', { class: 'jm-status', role: 'status' });
  const actions = h('span', { class: 'jm-actions' });
  const content = h('div', {});
  const whole = h('input', { type: 'checkbox', id: `${id}-whole` }) as HTMLInputElement;
  const fill = (): void => {
    const row = rows[Number(select.value)];
    status.textContent = '';
    actions.replaceChildren(...buttons(row, shown, status));
    content.replaceChildren(...variant(row, shown, whole.checked));
  };
  select.addEventListener('change', fill);
  whole.addEventListener('change', fill);
  fill();
  return h(
    'div',
    {},
    h(
      'div',
      { class: 'jm-controls' },
      h('label', { for: id, class: 'jm-hidden' }, 'Variant'),
      select,
      actions,
      h('label', {}, whole, ' whole source'),
      status
    ),
    content
  );
}

function buttons(row: Row, { host }: Shown, status: HTMLElement): HTMLElement[] {
  const { source, name, verified } = row.variant;
  if (!source.trim()) {
    return [];
  }
  const copy = host.copy ?? clipboard();
  const offered: [string, string, (() => void | Promise<void>) | undefined, string][] = [
    ['Copy', 'Copy the source', copy && (() => copy(source)), 'Copied.'],
    [
      'Insert below',
      'Insert the source as a cell below',
      host.insertBelow && (() => host.insertBelow?.(source)),
      'Inserted below.'
    ],
    [
      'Use it',
      'Bind the function to its name in your session',
      host.use && verified === true && !row.baseline ? () => host.use?.(name) : undefined,
      `${clean.cut(clean.line(name), 40)} is in use now.`
    ]
  ];
  return offered
    .filter(([, , act]) => act)
    .map(([label, title, act, done]) =>
      h(
        'button',
        {
          type: 'button',
          class: 'jm-button',
          title,
          onclick: async () => {
            try {
              await act?.();
              status.textContent = done;
            } catch (error) {
              status.textContent = `${label} did not work: ${error instanceof Error ? error.message : String(error)}`;
            }
          }
        },
        label
      )
    );
}

function clipboard(): ((text: string) => Promise<void>) | undefined {
  // absent on pages that are not served from a secure origin
  const board = typeof navigator === 'undefined' ? undefined : navigator.clipboard;
  return board ? text => board.writeText(text) : undefined;
}

function variant(row: Row, { record }: Shown, whole: boolean): HTMLElement[] {
  const { variant: given } = row;
  const facts: [string, string][] = [];
  if (row.label.length > 60) {
    facts.push(['name', row.label]);
  }
  if (!row.timed || row.reason) {
    facts.push([row.verdict, row.reason]);
  }
  if (row.nextStep) {
    facts.push(['→', row.nextStep]);
  }
  if (row.errorDetail) {
    facts.push(['largest error', row.errorDetail]);
  }
  facts.push(...given.notes.map((note): [string, string] => ['note', clean.line(note)]));
  if (row.probed) {
    facts.push(['probes', row.probed]);
  }
  if (given.needs.length) {
    facts.push(['needs in its namespace', clean.line(given.needs.join(', '))]);
  }
  facts.push(...measured(row, record));
  const told = facts.map(([name, text]) =>
    h('p', { class: 'jm-fact' }, h('span', { class: 'jm-faint' }, `${name}: `), ...prose(clean.cut(text, LONGEST_NOTE)))
  );
  if (row.findings.length) {
    told.push(found(row));
  }
  const source = clean.block(given.source).replace(/\n+$/, '');
  if (!source.trim()) {
    return [...told, h('p', {}, 'No source was written for this variant.')];
  }
  if (row.baseline || whole) {
    return [...told, listing(source)];
  }
  return [...told, beside(clean.block(record.workload.source).replace(/\n+$/, ''), source)];
}

/** What a variant gets wrong with other arguments, folded away, and how to see it. */
function found({ findings }: Row): HTMLElement {
  return h(
    'details',
    { class: 'jm-warnings' },
    h('summary', {}, `right here, but not with ${figures.plural(findings.length, 'other set')} of arguments`),
    ...findings.flatMap(({ arguments: given, detail, snippet }) => [
      h('p', { class: 'jm-fact' }, ...prose(clean.cut(`with ${given}: ${detail}`, LONGEST_NOTE))),
      snippet.trim() ? listing(snippet.replace(/\n+$/, '')) : null
    ])
  );
}

function measured(row: Row, record: JitmagicRecord): [string, string][] {
  if (!row.timed) {
    return [];
  }
  const { memory, threads, form, tried, build_cache, clocks } = row.variant;
  const parts: string[] = [];
  if (clocks.run) {
    const { median, low, high, samples, outliers } = clocks.run;
    const ends = samples > 1 ? figures.durationInterval(median, low, high) : '';
    const far = outliers ? `, ${figures.plural(outliers, 'outlier')}` : '';
    parts.push(`run ${row.run}${ends ? ` (${ends})` : ''} in ${figures.plural(samples, 'sample')}${far}`);
  }
  if ((row.variant.processes ?? 1) > 1) {
    parts.push(`timed in ${row.variant.processes} processes, one after the other`);
  }
  if (clocks.build) {
    parts.push(`build ${row.build}${build_cache ? ` (${BUILD_CACHES[build_cache] ?? build_cache})` : ''}`);
  }
  for (const [name, words] of CLOCKS) {
    if (clocks[name]) {
      parts.push(`${words} ${figures.clock(clocks[name])}`);
    }
  }
  if (memory.host_peak !== null) {
    parts.push(`peak memory ${figures.size(memory.host_peak)}`);
  }
  if (memory.device_peak !== null) {
    parts.push(`peak memory on the device ${figures.size(memory.device_peak)}`);
  }
  if (threads !== null) {
    parts.push(figures.plural(threads, 'thread'));
  }
  const limit = circumstances.shares(record, row.variant);
  if (limit) {
    parts.push(limit);
  }
  if (form) {
    parts.push(`form ${form}`);
  }
  for (const one of tried) {
    parts.push(`tried and not taken: ${one.form} (${one.run === null ? 'not timed' : figures.duration(one.run)})`);
  }
  return parts.length ? [['measured', clean.line(parts.join('; '))]] : [];
}

function listing(source: string): HTMLElement {
  const lines = highlighted(source);
  const shown = lines.slice(0, MOST_LINES);
  const body = shown.map((pieces, index) =>
    h('tr', {}, h('td', { class: 'jm-number-cell' }, String(index + 1)), h('td', { class: 'jm-line' }, ...drawn(pieces)))
  );
  return framed([h('table', { class: 'jm-source' }, h('tbody', {}, ...body))], lines.length - shown.length);
}

function beside(original: string, source: string): HTMLElement {
  const [left, right] = [original.split('\n'), source.split('\n')];
  const pairs = left.length + right.length > MOST_LINES ? null : paired(left, right);
  if (!pairs) {
    return h('div', {}, h('p', {}, 'The sources are too long to be set beside each other.'), listing(source));
  }
  const sides = [highlighted(original), highlighted(source)];
  const body = h('tbody', {});
  for (const stretch of stretches(pairs)) {
    if (!stretch.folded) {
      body.append(...stretch.pairs.map(pair => level(pair, sides)));
      continue;
    }
    const fold: HTMLElement = h(
      'tr',
      {},
      h(
        'td',
        { colspan: 6 },
        h(
          'button',
          {
            type: 'button',
            class: 'jm-link',
            onclick: () => fold.replaceWith(...stretch.pairs.map(pair => level(pair, sides)))
          },
          `… ${figures.plural(stretch.pairs.length, 'line')} the same`
        )
      )
    );
    body.append(fold);
  }
  const head = h(
    'thead',
    {},
    h(
      'tr',
      {},
      h('th', { scope: 'colgroup', colspan: 3 }, 'original (− replaced)'),
      h('th', { scope: 'colgroup', colspan: 3 }, 'variant (+ new)')
    )
  );
  const columns = ['jm-number-cell', 'jm-sign', '', 'jm-number-cell', 'jm-sign', ''];
  const group = h('colgroup', {}, ...columns.map(name => h('col', { class: name })));
  return framed([h('table', { class: 'jm-source jm-beside' }, group, head, body)], 0);
}

function level(pair: Pair, [left, right]: Piece[][][]): HTMLElement {
  return h('tr', {}, ...side(pair.left, left, pair.changed, '−', 'jm-removed'), ...side(pair.right, right, pair.changed, '+', 'jm-added'));
}

function side(index: number | null, lines: Piece[][], changed: boolean, sign: string, tint: string): HTMLElement[] {
  if (index === null) {
    return [h('td', { class: 'jm-number-cell' }), h('td', { class: 'jm-sign' }), h('td', { class: 'jm-line jm-none' })];
  }
  const mark = changed ? tint : '';
  return [
    h('td', { class: 'jm-number-cell' }, String(index + 1)),
    h('td', { class: `jm-sign ${mark}` }, changed ? sign : ''),
    h('td', { class: `jm-line ${mark}` }, ...drawn(lines[index]))
  ];
}

function drawn(pieces: Piece[]): (Node | string)[] {
  let room = LONGEST_LINE;
  const made: (Node | string)[] = [];
  for (const { text, kind } of pieces) {
    const shown = clean.cut(text, room);
    made.push(kind ? h('span', { class: kind }, shown) : shown);
    room -= text.length;
    if (room <= 0) {
      break;
    }
  }
  return made;
}

function framed(content: HTMLElement[], missing: number): HTMLElement {
  return h(
    'div',
    { class: 'jm-frame', tabindex: 0, role: 'region', 'aria-label': 'Source' },
    ...content,
    missing > 0 && h('p', { class: 'jm-faint' }, `… ${figures.plural(missing, 'line')} more: copy the source to see all`)
  );
}
