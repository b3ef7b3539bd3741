// Bundles each entry of src/panel/ into one ES module that the Python package carries: jitmagic/report/static/NAME.js.
import { mkdirSync, readdirSync, readFileSync, existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

// A notebook that is saved with widgets holds the bundle: its style sheet is made as short as its code.
const shortStyle = {
  name: 'short-style',
  setup(bundle) {
    bundle.onLoad({ filter: /[\\/]view[\\/]style\.ts$/ }, async ({ path }) => {
      const text = readFileSync(path, 'utf8');
      const css = /const CSS = `([^`\\$]*)`;/.exec(text)?.[1];
      if (css === undefined) {
        throw new Error(`${path}: the style sheet is not found, or holds what a template would change`);
      }
      const { code } = await transform(css, { loader: 'css', minify: true });
      return { contents: text.replace(css, () => code.trim()), loader: 'ts' };
    });
  }
};

const here = join(dirname(fileURLToPath(import.meta.url)), '..');
const entries = join(here, 'src', 'panel');
const output = join(here, '..', 'jitmagic', 'report', 'static');

const found = existsSync(entries) ? readdirSync(entries).filter(name => /\.entry\.tsx?$/.test(name)) : [];
mkdirSync(output, { recursive: true });
for (const name of found) {
  await build({
    entryPoints: [join(entries, name)],
    outfile: join(output, basename(name).replace(/\.entry\.tsx?$/, '.js')),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    // each character as it is: escaped ones are escaped once more in a notebook
    charset: 'utf8',
    plugins: [shortStyle],
    legalComments: 'inline',
    loader: { '.css': 'text' },
    logLevel: 'warning'
  });
}
