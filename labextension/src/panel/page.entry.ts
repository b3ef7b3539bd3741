/** The script of a page that stands alone (`jitmagic/report/web_page.py`): the static result becomes the live view. */

import { embedWith, renderRecord, type BokehJS, type Charts, type JitmagicRecord } from '../view';

function data<T>(id: string): T | null {
  const text = document.getElementById(id)?.textContent;
  return text ? (JSON.parse(text) as T) : null;
}

const place = document.querySelector<HTMLElement>('main');
const record = data<JitmagicRecord>('jitmagic-record');
if (place && record) {
  const bokeh = (window as unknown as { Bokeh?: BokehJS }).Bokeh;
  const view = document.createElement('div');
  // an error leaves the static result where it is
  renderRecord(view, record, {
    charts: data<Charts>('jitmagic-charts'),
    embedBokeh: bokeh && ((node, item) => embedWith(bokeh, node, item))
  });
  place.replaceChildren(view);
}
