import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, callProblem, functionAt, plainCall, withoutMagics } from '../src/python/functions';

/** Splits a source at `|`, where the cursor stands. */
function at(marked: string) {
  const offset = marked.indexOf('|');
  return functionAt(marked.replace('|', ''), offset < 0 ? 0 : offset);
}

function name(marked: string): string {
  const found = at(marked);
  assert.ok('function' in found, JSON.stringify(found));
  return found.function.name;
}

function problem(marked: string): string {
  const found = at(marked);
  assert.ok('problem' in found, JSON.stringify(found));
  return found.problem;
}

test('the function around the cursor', () => {
  const cell = 'def first(x):\n    return x\n\ndef second(y):\n    total = 0\n    return y + total\n';
  assert.equal(name(cell.replace('return x', 'ret|urn x')), 'first');
  assert.equal(name(cell.replace('total = 0', 'total |= 0')), 'second');
  assert.equal(name(cell.replace('def second', 'd|ef second')), 'second');
});

test('a function inside another cannot be called from outside: the outer one is taken', () => {
  assert.equal(name('def outer(x):\n    def inner(y):\n        return |y\n    return inner(x)\n'), 'outer');
});

test('a decorator belongs to its function', () => {
  assert.equal(name('@njit(parallel=|True)\ndef f(x):\n    return x\n\ndef g(x):\n    return x\n'), 'f');
});

test('text that only looks like a definition is none', () => {
  assert.match(problem('text = """\ndef no|t_me(x):\n    pass\n"""\n'), /no function/);
  assert.equal(name('s = "def a(x): pass"  # def b(y)|\ndef real(x):\n    return x\n'), 'real');
});

test('the only function of a cell is taken wherever the cursor stands', () => {
  assert.equal(name('def f(x):\n    return x\n\nx = 3\nf(|x)\n'), 'f');
  assert.equal(name('if True:\n    def f(x):\n        return x\n\nx = |3\n'), 'f');
});

test('what cannot be chosen or compared is said', () => {
  assert.match(problem('x = 1|'), /defines no function/);
  assert.match(problem('def f(): pass\ndef g(): pass\n\n\nx = |1'), /2 functions/);
  assert.match(problem('class Model:\n    def step(self):\n        return |1\n'), /class Model/);
  assert.match(problem('async def f(x):\n    return |x\n'), /async/);
});

test('magics and shell commands do not disturb, and keep every offset', () => {
  const cell = '%%jitcompare -b numba\n!ls\ndef f(x):\n    y = x % 3\n    return |y\n';
  assert.equal(name(cell), 'f');
  assert.equal(withoutMagics(cell).length, cell.length);
  assert.equal(withoutMagics('y = (x\n    % 3)'), 'y = (x\n    % 3)');
});

test('the parameters that a call must give', () => {
  const call = (signature: string) => {
    const found = functionAt(`def f(${signature}):\n    pass\n`, 0);
    assert.ok('function' in found);
    return plainCall(found.function);
  };
  assert.equal(call('x, n'), 'f(x, n)');
  assert.equal(call('x: np.ndarray, n: int = 3, *rest, key, other=1, **more'), 'f(x, key=key)');
  assert.equal(call('x, /, *, key'), 'f(x, key=key)');
  assert.equal(call(''), 'f()');
  assert.equal(call('x=(1, 2), y=[a, b]'), 'f()');
});

test('how the notebook calls a function', () => {
  assert.equal(callOf('f', 'x = 3\nf(x, n=40)\n'), 'f(x, n=40)');
  assert.equal(callOf('f', 'result = f(g(x))[0]'), 'f(g(x))');
  assert.equal(callOf('f', '%timeit f(x)'), null);
  assert.equal(callOf('f', '%jitcompare -b numba,jax --budget 5 f(x, -1);'), 'f(x, -1)');
  assert.equal(callOf('f', '%jitcompare -b numba g(f(x))'), null);
  assert.equal(callOf('f', 'def g(x):\n    return f(x)\n'), null);
  assert.equal(callOf('f', 'self.f(x)'), null);
  assert.equal(callOf('f', 'f(x,\n  y)'), null);
});

test('what is a call', () => {
  assert.equal(callProblem('f(x, -1)'), null);
  assert.equal(callProblem(' f(a, b="-o x") '), null);
  assert.match(callProblem('')!, /Write the call/);
  assert.match(callProblem('f(x')!, /no call/);
  assert.match(callProblem('f(x)\nimport os')!, /one line/);
  assert.match(callProblem('f(x); g(y)')!, /no call/);
  assert.match(callProblem('f')!, /no call/);
  assert.match(callProblem('f(x) # note')!, /no call/);
});
