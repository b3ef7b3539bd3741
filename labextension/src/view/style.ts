/** The look: the page's own colours and fonts, figures in columns, few lines. */

const ID = 'jitmagic-style';

/** Adds the style once to the page, or to the shadow tree that the node stands in. */
export function addStyle(node: HTMLElement): void {
  const root = node.getRootNode();
  const home = root instanceof ShadowRoot ? root : document.head;
  if (!home.querySelector(`#${ID}`)) {
    const style = document.createElement('style');
    style.id = ID;
    // three times over, so that what a page says of its tables and lists does not win: JupyterLab's HTML outputs do
    style.textContent = CSS.replaceAll('.jitmagic', '.jitmagic.jitmagic.jitmagic');
    home.append(style);
  }
}

// Everything is made of the text's own colour and four tones that are legible on white and on black, so that each
// theme of each front end is met without knowing it.
const CSS = `
.jitmagic {
  --jm-line: color-mix(in srgb, currentColor 16%, transparent);
  --jm-soft: color-mix(in srgb, currentColor 7%, transparent);
  --jm-faster: #2a9d6f; --jm-slower: #c8703d; --jm-even: #8a8f98;
  --jm-focus: var(--jp-brand-color1, var(--vscode-focusBorder, #2f7fd0));
  --jm-mono: var(--jp-code-font-family, var(--vscode-editor-font-family, ui-monospace, Menlo, Consolas, monospace));
  color: var(--jp-content-font-color1, var(--vscode-editor-foreground, inherit));
  font-family: var(--jp-content-font-family, var(--vscode-font-family, system-ui, sans-serif));
  font-size: var(--jp-content-font-size1, 14px);
  line-height: 1.45; padding: 4px 0; max-width: 76em; container-type: inline-size;
}
.jitmagic *, .jitmagic *::before { box-sizing: border-box }
.jitmagic p { margin: 2px 0 }
.jitmagic .jm-advice { font-size: 115%; font-weight: 600; margin: 4px 0; max-width: 60em }
.jitmagic summary .jm-advice { display: inline }
.jitmagic summary .jm-headline { display: inline-block; vertical-align: top; max-width: calc(100% - 2em) }
.jitmagic .jm-stopped { font-weight: 600 }
.jitmagic ul { margin: 2px 0 6px; padding-left: 1.4em }
.jitmagic li { margin: 1px 0 }
.jitmagic .jm-faint, .jitmagic .jm-small, .jitmagic caption { opacity: .76 }
.jitmagic .jm-small { font-size: 88%; font-weight: 400; max-width: 46em }
.jitmagic .jm-warnings { border-left: 3px solid var(--jm-slower); padding-left: 10px; margin: 6px 0 }
.jitmagic code { font-family: var(--jm-mono); font-size: 92%; background: none; color: inherit; padding: 0 }
.jitmagic .jm-tabs { display: flex; flex-wrap: wrap; gap: 2px; border-bottom: 1px solid var(--jm-line); margin: 8px 0 6px }
.jitmagic [role=tab] {
  font: inherit; color: inherit; background: none; border: 0; padding: 5px 12px; cursor: pointer; opacity: .76;
  border-bottom: 2px solid transparent; margin-bottom: -1px; border-radius: 3px 3px 0 0
}
.jitmagic [role=tab]:hover { background: var(--jm-soft); opacity: 1 }
.jitmagic [role=tab][aria-selected=true] { border-bottom-color: currentColor; opacity: 1; font-weight: 600 }
.jitmagic [role=tabpanel] { padding: 2px 0 }
.jitmagic [role=tabpanel][hidden] { display: none }
.jitmagic :focus-visible { outline: 2px solid var(--jm-focus); outline-offset: 1px }
.jitmagic .jm-button, .jitmagic select {
  font: inherit; font-size: 92%; color: inherit; background: transparent; border: 1px solid var(--jm-line);
  border-radius: 4px; padding: 2px 9px; cursor: pointer; line-height: 1.4; min-height: 24px; height: auto; width: auto
}
.jitmagic select option { color: var(--jp-ui-font-color1, CanvasText); background: var(--jp-layout-color1, Canvas) }
.jitmagic .jm-button:hover:not(:disabled) { background: var(--jm-soft) }
.jitmagic .jm-button[aria-pressed=true] { background: var(--jm-soft); font-weight: 600; border-color: currentColor }
.jitmagic .jm-button:disabled { opacity: .5; cursor: default }
.jitmagic .jm-link {
  font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; text-decoration: underline;
  text-underline-offset: 2px; text-decoration-thickness: 1px
}
.jitmagic a { color: inherit; text-underline-offset: 2px }
.jitmagic .jm-controls { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; margin: 4px 0 }
.jitmagic .jm-actions { display: flex; gap: 6px }
.jitmagic .jm-right { justify-content: flex-end; gap: 4px; font-size: 92%; margin: 0 0 -1.6em; position: relative; z-index: 1; width: max-content; margin-left: auto }
.jitmagic .jm-right .jm-button { padding: 0 7px; min-height: 22px }
.jitmagic .jm-hidden {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap
}
.jitmagic .jm-scroll { overflow-x: auto }
.jitmagic table { border-collapse: collapse; border: 0; margin: 4px 0; font-size: inherit; table-layout: auto; color: inherit }
.jitmagic caption { text-align: left; padding: 0 0 4px; caption-side: top }
.jitmagic tr, .jitmagic tbody tr:nth-child(even), .jitmagic tbody tr:hover { background: none }
.jitmagic th, .jitmagic td {
  text-align: left; vertical-align: top; padding: 4px 12px 4px 0; border: 0; font-weight: 400; max-width: none;
  white-space: normal; line-height: 1.45
}
.jitmagic thead th { opacity: .76; font-size: 92%; vertical-align: bottom }
.jitmagic .jm-variants { font-size: 95% }
.jitmagic .jm-variants thead th.jm-figure { white-space: normal; min-width: 4.5em }
.jitmagic .jm-variants thead tr, .jitmagic .jm-variants tbody tr { border-bottom: 1px solid var(--jm-line) }
.jitmagic .jm-variants tbody tr:last-child { border-bottom: 0 }
.jitmagic .jm-variants th[scope=row], .jitmagic .jm-verdict { white-space: nowrap }
.jitmagic th.jm-figure, .jitmagic td.jm-figure { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
.jitmagic .jm-figure:last-child { padding-right: 2px }
.jitmagic .jm-ratio { font-variant-numeric: tabular-nums; min-width: 8.5em }
.jitmagic .jm-nowrap { white-space: nowrap }
.jitmagic .jm-why { max-width: 44em }
.jitmagic .jm-mark { font-weight: 600; display: inline-block; width: 1.1em; text-align: center }
.jitmagic .jm-mark.jm-faster { color: var(--jm-faster) }
.jitmagic .jm-mark.jm-slower { color: var(--jm-slower) }
.jitmagic .jm-bar-cell { width: 15em; min-width: 7em }
.jitmagic .jm-track { position: relative; height: 1.1em; margin-top: .18em; width: 100% }
.jitmagic .jm-bar { position: absolute; top: 10%; height: 80%; border-radius: 2px; opacity: .85 }
.jitmagic .jm-bar.jm-faster { background: var(--jm-faster) }
.jitmagic .jm-bar.jm-slower { background: var(--jm-slower) }
.jitmagic .jm-bar.jm-even { background: var(--jm-even) }
.jitmagic .jm-one { position: absolute; top: -.35em; bottom: -.35em; width: 0; border-left: 1px dashed currentColor; opacity: .5 }
.jitmagic .jm-whisker {
  position: absolute; top: 50%; height: 0; border-top: 1.5px solid currentColor
}
.jitmagic .jm-whisker::before {
  content: ""; position: absolute; left: 0; right: 0; top: -4.5px; height: 8px; border: solid currentColor; border-width: 0 1.5px
}
.jitmagic .jm-charted .jm-right { margin-bottom: 2px }
.jitmagic .jm-charted .jm-track { display: none }
.jitmagic .jm-charted .jm-bar-cell { width: 0; min-width: 0; padding: 0 }
.jitmagic .jm-chart:empty { display: none }
.jitmagic .jm-chart { max-width: 60em }
.jitmagic h4 { font-size: 100%; font-weight: 600; margin: 10px 0 2px; color: inherit }
.jitmagic .jm-hints { list-style: none; padding: 0 }
.jitmagic .jm-hints > li { margin: 0; padding: 6px 0 7px 12px; border-left: 2px solid var(--jm-line); margin-bottom: 6px; max-width: 56em }
.jitmagic .jm-quoted { display: block; margin: 2px 0; opacity: .9; white-space: pre-wrap; overflow-wrap: anywhere }
.jitmagic mark { background: none; color: inherit; text-decoration: underline wavy var(--jm-slower); text-underline-offset: 3px }
.jitmagic summary { cursor: pointer; margin: 4px 0 }
.jitmagic .jm-facts th { opacity: .76; white-space: nowrap }
.jitmagic .jm-facts th, .jitmagic .jm-facts td { padding: 2px 14px 2px 0; overflow-wrap: anywhere }
.jitmagic .jm-fact { max-width: 62em; overflow-wrap: anywhere }
.jitmagic .jm-status { opacity: .76; font-size: 92% }
.jitmagic .jm-frame {
  overflow: auto; max-height: 34em; border: 1px solid var(--jm-line); border-radius: 4px; margin: 6px 0;
  container-type: inline-size
}
.jitmagic .jm-source {
  font-family: var(--jm-mono); font-size: var(--jp-code-font-size, 13px); margin: 0; width: 100%; line-height: 1.4
}
.jitmagic .jm-source td { padding: 0 8px; white-space: pre; line-height: 1.5; font-variant-ligatures: none }
.jitmagic .jm-source thead th {
  font-family: var(--jp-content-font-family, system-ui, sans-serif); padding: 3px 8px; border-bottom: 1px solid var(--jm-line)
}
.jitmagic .jm-source td.jm-number-cell {
  text-align: right; opacity: .55; user-select: none; width: 1%; padding: 0 4px 0 8px; font-variant-numeric: tabular-nums
}
.jitmagic .jm-source td.jm-sign { width: 1%; padding: 0 4px; user-select: none; text-align: center }
.jitmagic .jm-beside { min-width: 44em; table-layout: fixed }
.jitmagic .jm-beside .jm-line { white-space: pre-wrap; overflow-wrap: anywhere }
.jitmagic col.jm-number-cell { width: 3.2em }
.jitmagic col.jm-sign { width: 1.8em }
.jitmagic .jm-beside td:nth-child(4) { border-left: 1px solid var(--jm-line) }
.jitmagic .jm-removed { background: color-mix(in srgb, var(--jm-slower) 16%, transparent) }
.jitmagic .jm-added { background: color-mix(in srgb, var(--jm-faster) 17%, transparent) }
.jitmagic .jm-none { background: var(--jm-soft) }
.jitmagic .jm-keyword { font-weight: 600 }
.jitmagic .jm-keyword, .jitmagic .jm-decorator { color: var(--jp-mirror-editor-keyword-color, #5b76c9) }
.jitmagic .jm-string { color: var(--jp-mirror-editor-string-color, #2f8f6b) }
.jitmagic .jm-comment { opacity: .66; font-style: italic }
.jitmagic .jm-number { color: var(--jp-mirror-editor-number-color, #b3672f) }
.jitmagic .jm-progress { display: grid; grid-template-columns: max-content minmax(6em, 22em) 1fr; gap: 3px 12px; align-items: center; margin: 4px 0 }
.jitmagic .jm-progress-item { display: contents }
.jitmagic .jm-progress-bar { display: block; height: 7px; border-radius: 4px; background: var(--jm-line); overflow: hidden }
.jitmagic .jm-progress-bar > span {
  display: block; height: 100%; border-radius: 4px; background: var(--jm-focus); width: 0; transition: width .3s
}
.jitmagic .jm-progress-bar.jm-ended > span { background: var(--jm-even) }
.jitmagic .jm-progress-step { opacity: .76 }
.jitmagic .jm-left { font-variant-numeric: tabular-nums }
@media (prefers-reduced-motion: reduce) { .jitmagic .jm-progress-bar > span { transition: none } }
@container (max-width: 34em) { .jitmagic .jm-progress { grid-template-columns: max-content 1fr } .jitmagic .jm-progress-step { grid-column: 1 / -1 } }
`;
