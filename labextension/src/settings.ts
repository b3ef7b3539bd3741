// The user's settings: what the form holds, and whether gotchas are marked.

import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Signal, type ISignal } from '@lumino/signaling';
import { NO_OPTIONS, type CompareOptions } from './python/magic-line';

/** What is of one comparison, and not kept in the settings. */
const ONCE: readonly (keyof CompareOptions)[] = [
  'sweep',
  'calls',
  'gradients',
  'deploy',
  'simple',
  'transform',
  'argument',
  'on'
];

export const PLUGIN = 'jitmagic:plugin';

/** The settings, kept by JupyterLab where it can; for this page alone where it cannot. */
export class Settings {
  /** Emitted when a value became another, here or in the settings editor. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get options(): CompareOptions {
    return this._options;
  }

  get marks(): boolean {
    return this._marks;
  }

  async connect(registry: ISettingRegistry): Promise<void> {
    this._settings = await registry.load(PLUGIN);
    this._settings.changed.connect(() => this._read());
    this._read();
  }

  /** Takes a value at once, and keeps it where that can be done; what is of one comparison is kept for this page. */
  async setOption<K extends keyof CompareOptions>(name: K, value: CompareOptions[K]): Promise<void> {
    this._options = { ...this._options, [name]: value };
    if (ONCE.includes(name)) {
      this._changed.emit();
      return;
    }
    await this._keep(name, value);
  }

  /** Takes the choice at once, and keeps it where that can be done. */
  async setMarks(value: boolean): Promise<void> {
    this._marks = value;
    await this._keep('marks', value);
  }

  private async _keep(name: string, value: string[] | number | string | boolean | null): Promise<void> {
    this._changed.emit();
    if (!this._settings) {
      return;
    }
    this._saving += 1;
    try {
      await this._settings.set(name, value);
    } finally {
      this._saving -= 1;
      this._read();
    }
  }

  private _read(): void {
    if (this._saving > 0) {
      // what is on its way to the server is not in what comes from there
      return;
    }
    const values = this._settings!.composite as Partial<CompareOptions> & { marks?: boolean };
    const { backends, devices, budget, margin, timeout, dtype, threads, cold } = { ...NO_OPTIONS, ...values };
    this._options = { ...this._options, backends, devices, budget, margin, timeout, dtype, threads, cold };
    this._marks = values.marks ?? true;
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private _settings: ISettingRegistry.ISettings | null = null;
  private _saving = 0;
  private _options = NO_OPTIONS;
  private _marks = true;
}
