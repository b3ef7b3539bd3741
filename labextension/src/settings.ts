// The user's settings: what the form holds, and whether gotchas are marked.

import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Signal, type ISignal } from '@lumino/signaling';
import { NO_OPTIONS, type CompareOptions } from './python/magic-line';

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

  async setOption<K extends keyof CompareOptions>(name: K, value: CompareOptions[K]): Promise<void> {
    if (this._settings) {
      await this._settings.set(name, value);
    } else {
      this._options = { ...this._options, [name]: value };
      this._changed.emit();
    }
  }

  async setMarks(value: boolean): Promise<void> {
    if (this._settings) {
      await this._settings.set('marks', value);
    } else {
      this._marks = value;
      this._changed.emit();
    }
  }

  private _read(): void {
    const values = this._settings!.composite as Partial<CompareOptions> & { marks?: boolean };
    const { backends, devices, budget, timeout, dtype } = { ...NO_OPTIONS, ...values };
    this._options = { backends, devices, budget, timeout, dtype };
    this._marks = values.marks ?? true;
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private _settings: ISettingRegistry.ISettings | null = null;
  private _options = NO_OPTIONS;
  private _marks = true;
}
