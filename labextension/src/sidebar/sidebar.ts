// The sidebar: what to compare, what was compared, with which options, and on what.

import type { Message } from '@lumino/messaging';
import { Panel } from '@lumino/widgets';
import { jitmagicIcon } from '../icon';
import type { NotebookWatch } from '../notebook/watch';
import type { Watches } from '../notebook/watches';
import type { Settings } from '../settings';
import { CompareSection } from './compare-section';
import { DevicesSection } from './devices-section';
import { ListSection, type OpenTwoRuns } from './list-section';
import { OptionsSection } from './options-section';

export class Sidebar extends Panel {
  constructor(watches: Watches, settings: Settings, openTwo: OpenTwoRuns) {
    super();
    this.id = 'jitmagic-sidebar';
    this.title.icon = jitmagicIcon;
    this.title.caption = 'jitmagic: compare NumPy functions with Numba, JAX, PyTorch and CuPy';
    this.title.label = '';
    this.addClass('jp-jitmagic-sidebar');

    this.compare = new CompareSection(watches, settings);
    this._list = new ListSection(watches, openTwo);
    this.options = new OptionsSection(settings);
    this.devices = new DevicesSection(watches, names => this.options.offer(names));
    for (const section of [this.compare, this._list, this.options, this.devices]) {
      this.addWidget(section);
    }
    const follow = (watch: NotebookWatch) => {
      watch.changed.connect(() => {
        if (watch === watches.current) {
          this.compare.refresh();
          this._list.refresh();
        }
      });
    };
    watches.all().forEach(follow);
    watches.added.connect((_, watch) => follow(watch));
  }

  readonly compare: CompareSection;
  readonly options: OptionsSection;
  readonly devices: DevicesSection;

  protected override onBeforeShow(message: Message): void {
    performance.mark('jitmagic:sidebar:begin');
    super.onBeforeShow(message);
  }

  /** Measures from the moment that the sidebar is asked for until the browser has painted it. */
  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    requestAnimationFrame(() => {
      const painted = new MessageChannel();
      painted.port1.onmessage = () => {
        if (performance.getEntriesByName('jitmagic:sidebar:begin').length > 0) {
          performance.measure('jitmagic:sidebar', 'jitmagic:sidebar:begin');
          performance.clearMarks('jitmagic:sidebar:begin');
        }
      };
      painted.port2.postMessage(null);
    });
  }

  private readonly _list: ListSection;
}
