import assert from 'node:assert/strict';
import { test } from 'node:test';
import { magicLine, NO_OPTIONS, optionsProblem } from '../src/python/magic-line';

test('what is left to jitmagic is not written', () => {
  assert.equal(magicLine(NO_OPTIONS, ' fn(x, -1) '), '%jitcompare fn(x, -1)');
});

test('every option is written before the call', () => {
  const options = {
    backends: ['numba', 'jax'],
    devices: ['cpu', 'cuda:0'],
    budget: 2.5,
    margin: 3,
    timeout: 30,
    dtype: 'float32',
    threads: ['1', 'all'],
    sweep: 'n=1e3:1e6:7',
    cold: true,
    calls: 1000,
    gradients: true,
    deploy: 'gpu',
    simple: true,
    transform: null,
    argument: '',
    on: ['ssh://gpu1', 'tcp://10.0.0.5:8786']
  };
  assert.equal(
    magicLine(options, 'fn(x)'),
    '%jitcompare -b numba,jax -d cpu,cuda:0 --budget 2.5 --margin 3 --timeout 30 --dtype float32 --threads 1,all ' +
      '--sweep n=1e3:1e6:7 --cold --calls 1000 --need gradients --deploy gpu --keep simple --on ssh://gpu1 --on tcp://10.0.0.5:8786 fn(x)'
  );
});

test('a derivative or a batch is written with its argument', () => {
  const grad = { ...NO_OPTIONS, transform: 'grad', argument: 'x' };
  assert.equal(magicLine(grad, 'fn(x)'), '%jitcompare --grad x fn(x)');
  assert.equal(magicLine({ ...NO_OPTIONS, transform: 'vmap', argument: 'x:-1' }, 'fn(x)'), '%jitcompare --vmap x:-1 fn(x)');
});

test('what would become something else on the line is refused', () => {
  assert.match(optionsProblem({ ...NO_OPTIONS, backends: ['numba; import os'] })!, /no name of a backend/);
  assert.match(optionsProblem({ ...NO_OPTIONS, devices: ['-o'] })!, /no name of a device/);
  assert.match(optionsProblem({ ...NO_OPTIONS, budget: -1 })!, /above 0/);
  assert.match(optionsProblem({ ...NO_OPTIONS, margin: 60 })!, /at most 50/);
  assert.match(optionsProblem({ ...NO_OPTIONS, timeout: NaN })!, /above 0/);
  assert.match(optionsProblem({ ...NO_OPTIONS, dtype: 'float16' })!, /float32 or float64/);
  assert.match(optionsProblem({ ...NO_OPTIONS, threads: ['0'] })!, /no number of threads/);
  assert.match(optionsProblem({ ...NO_OPTIONS, sweep: 'n=1e3 fn(y)' })!, /no sweep/);
  assert.match(optionsProblem({ ...NO_OPTIONS, sweep: 'n' })!, /no sweep/);
  assert.match(optionsProblem({ ...NO_OPTIONS, transform: 'grad', argument: 'x:1' })!, /no argument/);
  assert.match(optionsProblem({ ...NO_OPTIONS, transform: 'vmap', argument: '' })!, /e\.g\. x, or x:1/);
  assert.match(optionsProblem({ ...NO_OPTIONS, transform: 'grad', argument: 'x', sweep: 'n=1,2' })!, /one size/);
  assert.match(optionsProblem({ ...NO_OPTIONS, on: ['gpu1'] })!, /no address/);
  assert.match(optionsProblem({ ...NO_OPTIONS, calls: 0.5 })!, /whole number above 0/);
  assert.match(optionsProblem({ ...NO_OPTIONS, deploy: 'moon' })!, /cpu or gpu or tpu/);
  assert.throws(() => magicLine({ ...NO_OPTIONS, backends: ['a b'] }, 'fn(x)'));
});
