// Our icon: three bars of a comparison, the shortest one with a flash.

import { LabIcon } from '@jupyterlab/ui-components';

const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3 jp-icon-selectable" fill="#616161">
    <rect x="3" y="4" width="18" height="3.4" rx="1"/>
    <rect x="3" y="10.3" width="11" height="3.4" rx="1"/>
    <rect x="3" y="16.6" width="6" height="3.4" rx="1"/>
    <path d="M18.6 10.4 13 17.4h3.2L14.9 22l5.8-7.2h-3.3z"/>
  </g>
</svg>`;

export const jitmagicIcon = new LabIcon({ name: 'jitmagic:icon', svgstr: SVG });
