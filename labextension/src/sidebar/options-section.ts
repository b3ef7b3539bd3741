// The options of the next comparison, as a form over the settings.

import { showErrorMessage } from '@jupyterlab/apputils';
import { DTYPES, PLACES, TRANSFORMS, optionsProblem, type CompareOptions } from '../python/magic-line';
import type { Settings } from '../settings';
import { h } from '../view/dom';
import { Section } from './section';

const TRANSFORMED = ['its gradient', 'its Jacobian', 'its Hessian', 'it, for each slice'];
const BACKENDS = ['numba', 'jax', 'torch', 'cupy', 'numba-cuda', 'cuda-python'];

export class OptionsSection extends Section {
  constructor(private readonly _settings: Settings) {
    super('Options', 'options', false);
    this._backends = new Map();
    this._backendBox.append(h('legend', {}, 'Backends'), this._boxes);
    this.offer(BACKENDS);
    const number = (name: 'budget' | 'margin' | 'timeout', label: string, usual: number) => {
      const input = h('input', {
        type: 'number',
        min: 0,
        step: 'any',
        class: 'jp-mod-styled',
        placeholder: String(usual),
        onchange: () => this._set(name, input.value.trim() === '' ? null : input.valueAsNumber)
      }) as HTMLInputElement;
      this._inputs.set(name, input);
      return h('label', { class: 'jp-jitmagic-field' }, h('span', {}, label), input);
    };
    this._dtype.append(
      h('option', { value: '' }, 'as they are'),
      ...DTYPES.map(dtype => h('option', { value: dtype }, `cast to ${dtype}`))
    );
    this._dtype.addEventListener('change', () => this._set('dtype', this._dtype.value || null));
    const list = (input: HTMLInputElement, name: 'devices' | 'threads' | 'on') =>
      input.addEventListener('change', () => {
        const parts = input.value.split(',').map(part => part.trim());
        this._set(name, parts.filter(Boolean));
      });
    list(this._devices, 'devices');
    list(this._threads, 'threads');
    list(this._on, 'on');
    this._transform.append(
      h('option', { value: '' }, 'the function itself'),
      ...TRANSFORMS.map((kind, index) => h('option', { value: kind }, TRANSFORMED[index]))
    );
    const transformed = () => this._setTransform(this._transform.value || null, this._argument.value.trim());
    this._transform.addEventListener('change', transformed);
    this._argument.addEventListener('change', transformed);
    this._sweep.addEventListener('change', () => this._set('sweep', this._sweep.value.replace(/\s/g, '') || null));
    this._cold.addEventListener('change', () => this._set('cold', this._cold.checked));
    this._calls.addEventListener('change', () =>
      this._set('calls', this._calls.value.trim() === '' ? null : this._calls.valueAsNumber)
    );
    this._gradients.addEventListener('change', () => this._set('gradients', this._gradients.checked));
    this._deploy.append(
      h('option', { value: '' }, 'here'),
      ...PLACES.map(place => h('option', { value: place }, `on a ${place.toUpperCase()}`))
    );
    this._deploy.addEventListener('change', () => this._set('deploy', this._deploy.value || null));
    this._simple.addEventListener('change', () => this._set('simple', this._simple.checked));
    this.body.append(
      this._backendBox,
      h('label', { class: 'jp-jitmagic-field' }, h('span', {}, 'Devices'), this._devices),
      number('budget', 'Seconds for timing', 10),
      number('margin', 'Per cent to know speedups to', 15),
      number('timeout', 'Seconds to build a variant', 60),
      h('label', { class: 'jp-jitmagic-field' }, h('span', {}, 'Floating arguments'), this._dtype),
      h('label', { class: 'jp-jitmagic-field' }, h('span', {}, 'CPU threads'), this._threads),
      h('label', { class: 'jp-jitmagic-field' }, h('span', {}, 'Other sizes too'), this._sweep),
      h('label', { class: 'jp-jitmagic-field' }, h('span', {}, 'Compared is'), this._transform),
      h('label', { class: 'jp-jitmagic-field' }, h('span', {}, 'by the argument'), this._argument),
      h('label', { class: 'jp-jitmagic-field' }, h('span', {}, 'Other machines too'), this._on),
      h('div', { class: 'jp-jitmagic-boxes' }, h('label', {}, this._cold, 'caches emptied before every timed call')),
      h(
        'fieldset',
        {},
        h('legend', {}, 'Recommend for'),
        h('label', { class: 'jp-jitmagic-field' }, h('span', {}, 'Calls like this one'), this._calls),
        h('label', { class: 'jp-jitmagic-field' }, h('span', {}, 'Where it will run'), this._deploy),
        h(
          'div',
          { class: 'jp-jitmagic-boxes' },
          h('label', {}, this._gradients, 'gradients needed'),
          h('label', {}, this._simple, 'few changed lines before speed')
        )
      ),
      this._problem,
      h(
        'p',
        { class: 'jp-jitmagic-faint' },
        'For comparisons that are started here. Backends, devices, seconds, floating arguments, threads and caches are ' +
          'kept in the settings, the rest for this page.'
      )
    );
    _settings.changed.connect(() => this.refresh());
  }

  /** Offers these backends too: those that the kernel knows. */
  offer(names: string[]): void {
    for (const name of names) {
      if (name !== 'numpy' && !this._backends.has(name)) {
        const box = h('input', {
          type: 'checkbox',
          value: name,
          onchange: () => this._setBackends()
        }) as HTMLInputElement;
        this._backends.set(name, box);
        this._boxes.append(h('label', {}, box, name));
      }
    }
    this.refresh();
  }

  protected draw(): void {
    const { options } = this._settings;
    const all = options.backends.length === 0;
    for (const name of options.backends.filter(each => !this._backends.has(each))) {
      this.offer([name]);
    }
    this._backends.forEach((box, name) => (box.checked = all || options.backends.includes(name)));
    this._show(this._devices, options.devices.join(', '));
    this._inputs.forEach((input, name) => this._show(input, options[name] === null ? '' : String(options[name])));
    this._dtype.value = options.dtype ?? '';
    this._show(this._threads, options.threads.join(', '));
    this._show(this._sweep, options.sweep ?? '');
    this._cold.checked = options.cold;
    this._transform.value = options.transform ?? '';
    this._show(this._argument, options.argument);
    this._argument.disabled = options.transform === null && !this._transform.value;
    this._show(this._on, options.on.join(', '));
    this._show(this._calls, options.calls === null ? '' : String(options.calls));
    this._gradients.checked = options.gradients;
    this._deploy.value = options.deploy ?? '';
    this._simple.checked = options.simple;
  }

  private _show(input: HTMLInputElement, value: string): void {
    if (document.activeElement !== input) {
      input.value = value;
    }
  }

  /** All of them chosen means: whatever is installed, also what comes to be installed later. */
  private _setBackends(): void {
    const chosen = [...this._backends].filter(([, box]) => box.checked).map(([name]) => name);
    if (chosen.length === 0) {
      this._say('Choose one backend or more.');
      return;
    }
    this._set('backends', chosen.length === this._backends.size ? [] : chosen);
  }

  private _set<K extends keyof CompareOptions>(name: K, value: CompareOptions[K]): void {
    const problem = optionsProblem({ ...this._settings.options, [name]: value });
    this._say(problem ?? '');
    if (!problem) {
      this._settings.setOption(name, value).catch(error => showErrorMessage('The option was not kept', error));
    }
  }

  /** The kind and its argument are one option of the magic: half of it is not taken. */
  private _setTransform(transform: string | null, argument: string): void {
    this._argument.disabled = transform === null;
    const problem = optionsProblem({ ...this._settings.options, transform, argument });
    this._say(problem ?? '');
    if (!problem) {
      const { _settings: settings } = this;
      settings
        .setOption('argument', argument)
        .then(() => settings.setOption('transform', transform))
        .catch(error => showErrorMessage('The option was not kept', error));
    }
  }

  private _say(problem: string): void {
    this._problem.textContent = problem;
    this._problem.hidden = !problem;
  }

  private readonly _backends: Map<string, HTMLInputElement>;
  private readonly _inputs = new Map<'budget' | 'margin' | 'timeout', HTMLInputElement>();
  private readonly _boxes = h('div', { class: 'jp-jitmagic-boxes' });
  private readonly _backendBox = h('fieldset', {});
  private readonly _devices = h('input', {
    type: 'text',
    class: 'jp-mod-styled',
    placeholder: 'all, or e.g. cpu, cuda:0',
    spellcheck: 'false'
  }) as HTMLInputElement;
  private readonly _threads = h('input', {
    type: 'text',
    class: 'jp-mod-styled',
    placeholder: 'all, or e.g. 1, all',
    spellcheck: 'false'
  }) as HTMLInputElement;
  private readonly _sweep = h('input', {
    type: 'text',
    class: 'jp-mod-styled',
    placeholder: 'e.g. n=1e3:1e6:7',
    spellcheck: 'false'
  }) as HTMLInputElement;
  private readonly _cold = h('input', { type: 'checkbox' }) as HTMLInputElement;
  private readonly _transform = h('select', { class: 'jp-mod-styled' }) as HTMLSelectElement;
  private readonly _argument = h('input', {
    type: 'text',
    class: 'jp-mod-styled',
    placeholder: 'e.g. x',
    spellcheck: 'false'
  }) as HTMLInputElement;
  private readonly _on = h('input', {
    type: 'text',
    class: 'jp-mod-styled',
    placeholder: 'e.g. ssh://gpu1',
    spellcheck: 'false'
  }) as HTMLInputElement;
  private readonly _calls = h('input', {
    type: 'number',
    min: 1,
    step: 1,
    class: 'jp-mod-styled',
    placeholder: 'the speed of a call counts'
  }) as HTMLInputElement;
  private readonly _gradients = h('input', { type: 'checkbox' }) as HTMLInputElement;
  private readonly _deploy = h('select', { class: 'jp-mod-styled' }) as HTMLSelectElement;
  private readonly _simple = h('input', { type: 'checkbox' }) as HTMLInputElement;
  private readonly _dtype = h('select', { class: 'jp-mod-styled' }) as HTMLSelectElement;
  private readonly _problem = h('p', { class: 'jp-jitmagic-problem', role: 'status', hidden: true });
}
