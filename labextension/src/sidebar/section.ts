// One part of the sidebar: it folds, and draws itself when it is seen and something changed.

import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { h } from '../view/dom';

export abstract class Section extends Widget {
  constructor(title: string, name: string, open: boolean) {
    const body = h('div', { class: 'jp-jitmagic-body' });
    super({ node: h('details', { open }, h('summary', { class: 'jp-jitmagic-title' }, title), body) });
    this.body = body;
    this.addClass('jp-jitmagic-section');
    this.addClass(`jp-jitmagic-${name}`);
    this.node.addEventListener('toggle', () => this._catchUp());
  }

  /** Unfolds it. */
  unfold(): void {
    (this.node as HTMLDetailsElement).open = true;
    this._catchUp();
  }

  /** Draws now where the user sees it, and otherwise when it comes into view. */
  refresh(): void {
    if (this._isSeen) {
      this.draw();
    } else {
      this._stale = true;
    }
  }

  /** Where the section draws. */
  protected readonly body: HTMLElement;

  protected abstract draw(): void;

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._catchUp();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._catchUp();
  }

  private get _isSeen(): boolean {
    return this.isVisible && (this.node as HTMLDetailsElement).open;
  }

  private _catchUp(): void {
    if (this._stale && this._isSeen) {
      this._stale = false;
      this.draw();
    }
  }

  private _stale = true;
}
