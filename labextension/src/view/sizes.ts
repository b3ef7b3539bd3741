/** The tab *Sizes*: run times over input sizes, where lines cross, how they grow. */

import { bokehOr } from './chart';
import * as clean from './clean';
import { h, prose } from './dom';
import * as figures from './figures';
import type { Interval } from './record';
import type { Shown } from './result';

const NAME = 40;

export function sizes(shown: Shown): HTMLElement {
  const { sweep } = shown.record;
  if (!sweep) {
    return h('p', {}, 'No other sizes were measured.');
  }
  const chart = h('div', { class: 'jm-chart' });
  bokehOr(chart, shown, 'sizes', () => undefined);
  const crossings = sweep.crossovers.map(({ variant, over, n, low, high }) => {
    const between = low !== null && high !== null && low !== high ? ` (${whole(low)}–${whole(high)})` : '';
    return h('li', {}, `From ${clean.line(sweep.parameter)} = ${whole(n)}${between} on, `, h('strong', {}, clean.cut(clean.line(variant), NAME)), ` is faster than ${clean.cut(clean.line(over), NAME)}.`);
  });
  const grows = sweep.series.some(one => one.growth);
  const label = (name: string, device: string): string => {
    const text = clean.line(device === 'cpu' || name.includes(device) ? name : `${name} · ${device}`);
    return clean.cut(text, NAME);
  };
  return h(
    'div',
    {},
    chart,
    crossings.length > 0 && h('ul', { class: 'jm-conditions' }, ...crossings),
    h(
      'div',
      { class: 'jm-scroll' },
      h(
        'table',
        { class: 'jm-variants' },
        h('caption', {}, clean.cut(`Time of one call by ${clean.line(sweep.parameter)}${sweep.meaning ? `: ${clean.line(sweep.meaning)}` : ''}`, 160)),
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, 'variant'),
            ...sweep.n.map(n => h('th', { scope: 'col', class: 'jm-figure' }, whole(n))),
            grows && h('th', { scope: 'col', class: 'jm-figure' }, 'grows as')
          )
        ),
        h(
          'tbody',
          {},
          ...sweep.series.map(one =>
            h(
              'tr',
              {},
              h('th', { scope: 'row' }, label(one.name, one.device)),
              ...sweep.n.map((_, index) => h('td', { class: 'jm-figure' }, time(one.run[index] ?? null))),
              grows && h('td', { class: 'jm-figure' }, growth(one.growth, sweep.parameter))
            )
          )
        )
      )
    ),
    ...sweep.notes.map(note => h('p', { class: 'jm-faint' }, ...prose(clean.line(note))))
  );
}

function whole(n: number): string {
  return Number.isInteger(n) ? figures.count(n) : figures.figure(n);
}

function time(run: Interval | null): string {
  return run ? figures.duration(run.median, run.low, run.high) : figures.MISSING;
}

function growth(exponent: Interval | null, parameter: string): string {
  if (!exponent) {
    return figures.MISSING;
  }
  return `${clean.line(parameter)}^${figures.figure(exponent.median, exponent.low, exponent.high)}`;
}
