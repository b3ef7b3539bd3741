// Bundles each entry of src/panel/ into one ES module that the Python package carries: jitmagic/report/static/NAME.js.
import { mkdirSync, readdirSync, existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

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
    legalComments: 'inline',
    loader: { '.css': 'text' },
    logLevel: 'warning'
  });
}
