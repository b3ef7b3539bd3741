// Bundles the unit tests of the plain TypeScript (test/*.test.ts) and runs them under Node's own test runner.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = join(dirname(fileURLToPath(import.meta.url)), '..');
const tests = readdirSync(join(here, 'test')).filter(name => name.endsWith('.test.ts'));
if (tests.length === 0) {
  throw new Error('there is no unit test in test/');
}
const output = mkdtempSync(join(tmpdir(), 'jitmagic-tests-'));
try {
  await build({
    entryPoints: tests.map(name => join(here, 'test', name)),
    outdir: output,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'warning'
  });
  const files = readdirSync(output).map(name => join(output, name));
  const ran = spawnSync(process.execPath, ['--enable-source-maps', '--test', '--test-reporter=spec', ...files], {
    stdio: 'inherit'
  });
  process.exitCode = ran.status ?? 1;
} finally {
  rmSync(output, { recursive: true, force: true });
}
