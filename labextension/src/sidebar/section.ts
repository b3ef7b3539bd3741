// One part of the sidebar: a titled widget that draws itself when it is seen and something changed.

import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

export abstract class Section extends Widget {
  constructor(title: string, name: string) {
    super();
    this.title.label = title;
    this.addClass('jp-jitmagic-section');
    this.addClass(`jp-jitmagic-${name}`);
  }

  /** Draws now where the user sees it, and otherwise when it comes into view. */
  refresh(): void {
    if (this.isVisible) {
      this.draw();
    } else {
      this._stale = true;
    }
  }

  protected abstract draw(): void;

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._catchUp();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._catchUp();
  }

  private _catchUp(): void {
    if (this._stale && this.isVisible) {
      this._stale = false;
      this.draw();
    }
  }

  private _stale = true;
}
