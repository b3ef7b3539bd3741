// Devices and backends as the kernel finds them; asked only when the user presses the button.

import { detect, type Detected } from '../notebook/kernel';
import type { Watches } from '../notebook/watches';
import { line } from '../view/clean';
import { h } from '../view/dom';
import { size } from '../view/figures';
import { Section } from './section';

export class DevicesSection extends Section {
  constructor(
    private readonly _watches: Watches,
    private readonly _onFound: (backends: string[]) => void
  ) {
    super('Devices and backends', 'devices', false);
    this._button.addEventListener('click', () => void this.ask());
    this.body.append(this._found, h('div', { class: 'jp-jitmagic-buttons' }, this._button), this._said);
    this._say('What this machine has is asked from the kernel of the notebook.');
  }

  /** Asks the kernel of the notebook in front. */
  async ask(): Promise<void> {
    const watch = this._watches.current;
    if (!watch) {
      this._say('Open a notebook first: its kernel is asked.');
      return;
    }
    const kernel = watch.panel.sessionContext.session?.kernel;
    this._button.disabled = true;
    this._say(kernel?.status === 'busy' ? 'The kernel is busy; it answers when it is done.' : 'Asking the kernel…');
    try {
      const found = await detect(watch.panel.sessionContext);
      this._found.replaceChildren(...shown(found));
      this._onFound(found.backends.map(backend => backend.name));
      this._say(`As of ${new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}.`);
    } catch (error) {
      this._found.replaceChildren();
      this._say(line((error as Error).message));
    } finally {
      this._button.disabled = false;
      this._button.textContent = 'Look again';
    }
  }

  protected draw(): void {
    // nothing changes here but by a click
  }

  private _say(text: string): void {
    this._said.textContent = text;
  }

  private readonly _found = h('div', {});
  private readonly _button = h(
    'button',
    { type: 'button', class: 'jp-mod-styled' },
    'Look for devices'
  ) as HTMLButtonElement;
  private readonly _said = h('p', { class: 'jp-jitmagic-faint', role: 'status' });
}

function shown({ machine, devices, backends, notes }: Detected): HTMLElement[] {
  const memory = typeof machine.memory === 'number' ? `, ${size(machine.memory)}` : '';
  const items: HTMLElement[] = [
    h('h3', {}, 'Devices'),
    h(
      'dl',
      {},
      ...devices.flatMap((device, index) => [
        h('dt', {}, line(device.name)),
        h(
          'dd',
          {},
          line([device.title + (index === 0 ? memory : ''), ...device.details].join('; ')),
          device.backends.length === 0 && h('span', { class: 'jp-jitmagic-faint' }, ' no backend uses it')
        )
      ])
    ),
    h('h3', {}, 'Backends'),
    h(
      'dl',
      {},
      ...backends.flatMap(backend => {
        const usable = backend.installed && !backend.reason;
        const versions = Object.entries(backend.versions).map(([name, version]) => line(`${name} ${version}`));
        return [
          h(
            'dt',
            {},
            h(
              'span',
              { class: 'jp-jitmagic-sign', role: 'img', 'aria-label': usable ? 'usable' : 'not usable' },
              usable ? '✓' : '–'
            ),
            line(backend.title)
          ),
          h(
            'dd',
            {},
            versions.length > 0 ? h('span', { title: versions.join(', ') }, versions[0]) : 'not installed',
            usable &&
              backend.devices.length > 0 &&
              h('span', { class: 'jp-jitmagic-faint' }, ` on ${backend.devices.map(line).join(', ')}`),
            backend.installed && backend.reason && h('p', { class: 'jp-jitmagic-faint' }, line(backend.reason)),
            backend.remedy && h('p', {}, h('code', {}, line(backend.remedy))),
            ...backend.lacks.flatMap(lack => [
              h('p', { class: 'jp-jitmagic-faint' }, line(`${lack.device}: ${lack.reason}`)),
              lack.remedy && h('p', {}, h('code', {}, line(lack.remedy)))
            ])
          )
        ];
      })
    )
  ];
  return notes.length > 0 ? [...items, ...notes.map(note => h('p', {}, line(note)))] : items;
}
