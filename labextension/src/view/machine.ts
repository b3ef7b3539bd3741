/** The tab *Machine*: under what conditions this was measured. */

import * as circumstances from './circumstances';
import * as clean from './clean';
import { h, prose } from './dom';
import * as figures from './figures';
import type { Shown } from './result';
import * as rows from './rows';

export function machine({ record }: Shown): HTMLElement {
  const { workload, options } = record;
  const facts: [string, string][] = [['call', clean.line(workload.call)]];
  facts.push(...workload.arguments.map((one): [string, string] => ['argument', rows.argument(one)]));
  if (workload.result) {
    facts.push(['result', rows.argument(workload.result)]);
  }
  facts.push(...workload.notes.map((note): [string, string] => ['note', clean.line(note)]));
  facts.push(['machine', rows.machine(record)]);
  if (record.machine.load !== null) {
    facts.push(['load before', figures.figure(record.machine.load)]);
  }
  facts.push(...circumstances.facts(record));
  for (const device of record.devices) {
    facts.push(['device', rows.device(device)]);
  }
  const versions = Object.entries(record.libraries).map(([name, version]) => `${name} ${version}`);
  facts.push(['libraries', clean.line(versions.join(', '))]);
  const asked = [
    options.backends && `backends ${options.backends.join(', ')}`,
    options.devices && `devices ${options.devices.join(', ')}`,
    options.budget !== null && `${figures.duration(options.budget)} for timing`,
    options.margin != null && `speedups to ±${figures.figure(options.margin)} %`,
    options.timeout !== null && `${figures.duration(options.timeout)} for each build`,
    options.dtype && `arguments cast to ${options.dtype}`,
    options.on?.length && `also on ${options.on.join(', ')}`
  ].filter(Boolean);
  facts.push(['options', clean.line(asked.join('; '))]);
  const took = figures.duration(record.elapsed);
  facts.push(['jitmagic', clean.line(`${record.jitmagic}, ${record.created}, took ${took}`)]);
  return h(
    'table',
    { class: 'jm-facts' },
    h('caption', {}, 'Under what conditions this was measured'),
    h(
      'tbody',
      {},
      ...facts.map(([name, text]) =>
        h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, ...prose(clean.cut(text, 4000))))
      )
    )
  );
}
