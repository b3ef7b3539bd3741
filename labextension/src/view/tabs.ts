/** Tabs after the ARIA authoring practices: one stop for the Tab key, arrows between them, Home and End. */

import { freshId, h } from './dom';

export interface Tab {
  title: string;
  /** Makes the content, when the tab is first looked at. */
  draw: () => HTMLElement;
}

/** Makes a list of tabs with their panels; the first is open. */
export function tabs(given: Tab[]): HTMLElement {
  const id = freshId('tab');
  const buttons = given.map((tab, index) =>
    h(
      'button',
      {
        type: 'button',
        role: 'tab',
        id: `${id}-${index}`,
        'aria-controls': `${id}-panel-${index}`,
        onclick: () => open(index),
        onkeydown: (event: KeyboardEvent) => moved(event, index)
      },
      tab.title
    )
  );
  const panels = given.map((_, index) =>
    h('div', { role: 'tabpanel', id: `${id}-panel-${index}`, 'aria-labelledby': `${id}-${index}`, tabindex: 0 })
  );
  const drawn = new Set<number>();

  function open(chosen: number): void {
    buttons.forEach((button, index) => {
      button.setAttribute('aria-selected', String(index === chosen));
      button.tabIndex = index === chosen ? 0 : -1;
      panels[index].hidden = index !== chosen;
    });
    if (!drawn.has(chosen)) {
      drawn.add(chosen);
      panels[chosen].append(given[chosen].draw());
    }
  }

  function moved(event: KeyboardEvent, index: number): void {
    const last = given.length - 1;
    const to = {
      ArrowRight: index === last ? 0 : index + 1,
      ArrowLeft: index ? index - 1 : last,
      Home: 0,
      End: last
    }[event.key];
    if (to !== undefined) {
      // a notebook moves between cells with the same keys
      event.preventDefault();
      event.stopPropagation();
      open(to);
      buttons[to].focus();
    }
  }

  open(0);
  return h('div', {}, h('div', { role: 'tablist', class: 'jm-tabs', 'aria-label': 'Views' }, ...buttons), ...panels);
}
