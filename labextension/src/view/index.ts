/**
 * The view of a comparison: plain DOM, no Jupyter, no framework, nothing fetched.
 *
 * Used by the JupyterLab extension's renderer and by the widget (`jitmagic/report/panel.py`), from this same source.
 */

export { renderRecord } from './result';
export { renderProgress, type ProgressState } from './progress';
export { MIME, CHARTS_MIME, PROGRESS_MIME, type JitmagicRecord } from './record';
export { embedWith, type BokehJS } from './bokeh';
export type { BokehItem, Charts, ViewHost } from './host';
export * as rows from './rows';
export * as figures from './figures';
export * as clean from './clean';
