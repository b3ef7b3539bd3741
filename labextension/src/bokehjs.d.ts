declare module '@bokeh/bokehjs/build/js/bokeh.esm.min.js' {
  const Bokeh: import('./view/bokeh').BokehJS;
  export default Bokeh;
}
