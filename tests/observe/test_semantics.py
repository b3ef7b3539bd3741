"""A watched module does what the module does: results, order of side effects, exceptions and their lines."""

import pytest

from .programs import both

PROGRAMS = {
    "order of operands": """
        def f(n):
            x = log(1) + log(2) * log(3) ** -log(1)
            y = [log(4), *log([5, 6]), log(7)]
            z = {log('a'): log(1), **log({'b': 2})}
            return x, y, z, {log(3), log(4)}, (log(1), log(2))
        """,
    "short circuits": """
        def f(n):
            a = log(0) and log(1)
            b = log(0) or log(2) or log(3)
            c = log(1) < log(2) < log(2) < log(5)
            d = log(10) if log(False) else log(20)
            return a, b, c, d, not log(1)
        """,
    "calls": """
        def g(a, /, b, *args, c=3, **kw):
            return a, b, args, c, kw
        def f(n):
            return g(log(1), *log((2, 3)), log(4), c=log(5), **log({'d': 6}))
        """,
    "receivers": """
        class Thing:
            def __init__(self):
                self.v = 0
            def step(self, by):
                self.v += log('by', by)
                return self
        def f(n):
            t = Thing()
            t.step(log(1)).step(log(2)).v += log(5)
            t.other = log('o')
            return t.v, t.other
        """,
    "augmented assignment": """
        def f(n):
            a = [1, 2, 3]
            b = a
            a += [log(4)]
            def at(i):
                return log('at', i)
            a[at(0)] += log(10)
            a[at(-1)] *= 2
            x = np.arange(4.0)
            y = x
            y += 1
            x[at(1):at(3)] -= log(0.5)
            return a, b is a, x, y is x
        """,
    "chained and unpacking assignment": """
        def f(n):
            a = b = log([1])
            (c, d), *e = log(((1, 2), 3, 4))
            x = [0, 0]
            i = 0
            i, x[i] = log((1, 9))
            return a is b, c, d, e, x, i
        """,
    "walrus": """
        def f(n):
            total = 0
            while (k := log(n - total)) > 0:
                total += (m := k - (k // 2))
            found = [y for x in range(5) if (y := x * 2) > 2]
            return total, m, k, y, found
        """,
    "comprehensions": """
        def f(n):
            x = 'outer'
            a = [log(x * y) for x in range(3) if log(x) for y in range(x) if y >= 0]
            b = {k: v for k, v in zip('ab', log([1, 2]))}
            c = {i % 3 for i in range(20)}
            d = sum(i * i for i in range(20) if i % 2)
            e = [[i + j for i in range(3)] for j in range(12)]
            return x, a, b, c, d, e
        """,
    "a generator expression runs when it is asked": """
        def f(n):
            g = (log(i) for i in range(5))
            log('made')
            first = next(g)
            log('between')
            return first, list(g)
        """,
    "closures": """
        def f(n):
            count = 0
            made = []
            for i in range(12):
                def add(k=i):
                    nonlocal count
                    count += k
                    return i
                made.append(add)
            return [g() for g in made], count, [(lambda: i)() for _ in range(3)]
        """,
    "late binding of the loop variable": """
        def f(n):
            fs = []
            for i in range(10):
                fs.append(lambda x, k=i: (x, i, k))
            return [g(j) for j, g in enumerate(fs)], i
        """,
    "global names": """
        total = 0
        def bump(k):
            global total
            total += k
            return total
        def f(n):
            for i in range(20):
                if i > 12:
                    bump(i)
                bump(1)
            return total
        """,
    "global after another statement": """
        total = 5
        def f(n):
            x = 1
            if n:
                global total
                total = x
            for i in range(9):
                total += i
            return total
        """,
    "mutable default is made once": """
        def g(x, acc=log([])):
            acc.append(x)
            return len(acc)
        def f(n):
            out = []
            for i in range(20):
                out.append(g(i))
            return out
        """,
    "keyword-only default": """
        def g(x, *, scale=log([2])):
            scale[0] += 1
            return x * scale[0]
        def f(n):
            return [g(i) for i in range(3)], [g(i, scale=[1]) for i in range(3)], g(1)
        """,
    "break and else": """
        def f(n):
            out = []
            for i in range(12):
                for j in range(5):
                    if i % 3 == 0 and j == 2:
                        break
                    if j == 1:
                        continue
                    out.append((i, j))
                else:
                    out.append('else')
                    if i == 10:
                        break
            else:
                out.append('never')
            k = 0
            while k < 10:
                k += 1
                if k == 7:
                    continue
            else:
                out.append(k)
            return out
        """,
    "return from a nest": """
        def g(k):
            for i in range(20):
                for j in range(20):
                    while True:
                        if i * j == k:
                            return log(i, j)
                        break
            return None
        def f(n):
            return [g(k) for k in range(30)]
        """,
    "exceptions": """
        def g(k):
            if k % 5 == 4:
                raise ValueError('k', k)
            return 10 // (k % 3)
        def f(n):
            out = []
            for k in range(25):
                try:
                    out.append(g(k))
                    out.append('ok')
                except ZeroDivisionError as error:
                    out.append(str(error))
                except (KeyError, ValueError) as error:
                    out.append(error.args)
                else:
                    out.append('else')
                finally:
                    log('finally', k)
            return out
        """,
    "return in finally": """
        def g(k):
            for i in range(6):
                try:
                    if i == k:
                        return 'returned'
                    if i == 4:
                        raise KeyError(i)
                except KeyError:
                    continue
                finally:
                    if i == 5:
                        return 'finally'
        def f(n):
            return [g(k) for k in range(8)]
        """,
    "uncaught in the 11th trip": """
        def f(n):
            x = [1] * 10
            s = 0
            for i in range(20):
                log(i)
                s += x[i]
            return s
        """,
    "uncaught in a helper": """
        def g(x):
            return 1 / x
        def f(n):
            s = 0
            for i in range(20):
                s += g(13 - i)
            return s
        """,
    "unbound local": """
        def f(n):
            for i in range(0):
                x = i
            return x
        """,
    "wrong arguments of a helper": """
        def g(x, y):
            return x
        def f(n):
            for i in range(9):
                if i == 8:
                    g(i)
                g(i, i)
        """,
    "unknown name": """
        def f(n):
            for i in range(30):
                if i == 17:
                    return missing + 1
        """,
    "recursion": """
        def fact(k):
            return 1 if k <= 1 else k * fact(k - 1)
        def fib(k):
            if k < 2:
                return k
            return fib(k - 1) + fib(k - 2)
        def hanoi(k, a, b, c):
            if k == 0:
                return
            hanoi(k - 1, a, c, b)
            log(a, c)
            hanoi(k - 1, b, a, c)
        def f(n):
            hanoi(5, 'a', 'b', 'c')
            return fact(30), fib(15)
        """,
    "mutual recursion": """
        def even(k):
            if k == 0:
                return True
            return odd(k - 1)
        def odd(k):
            if k == 0:
                return False
            return even(k - 1)
        def f(n):
            return [even(k) for k in range(40)]
        """,
    "functions as values": """
        def double(x):
            return 2 * x
        def apply(g, x):
            return g(x)
        def f(n):
            table = {'d': double}
            total = 0
            for i in range(20):
                total += apply(double, i) + table['d'](i) + sum(map(double, range(i)))
            double.calls = 3
            return total, double.calls, double.__name__, double is table['d'], sorted([3, 1, 2], key=lambda v: -v)
        """,
    "a name that hides a helper": """
        def g(x):
            return x
        def f(n):
            out = []
            for i in range(20):
                g = lambda x: -x
                out.append(g(i))
            return out
        """,
    "a helper defined twice": """
        def g(x):
            return x
        first = g
        def g(x):
            return first(x) + 1
        def f(n):
            return [g(i) for i in range(20)]
        """,
    "with": """
        class Guard:
            def __init__(self, swallow):
                self.swallow = log(swallow)
            def __enter__(self):
                log('in')
                return self, 5
            def __exit__(self, *info):
                log('out', info[0] is not None)
                return self.swallow
        def f(n):
            out = []
            for i in range(12):
                with Guard(True) as (g, five), np.errstate(divide='ignore'):
                    out.append(1 // (i % 3) + five)
                    out.append(np.float64(1) / 0)
            return out
        """,
    "match": """
        def g(x):
            match x:
                case 0:
                    return 'zero'
                case [a, *rest] if log(a):
                    return a, rest
                case {'k': v, **others}:
                    return v, others
                case int() | float() as number:
                    return number
                case _:
                    return None
        def f(n):
            return [g(x) for x in [0, 1, [1, 2, 3], [0, 2], {'k': 1, 'l': 2}, 2.5, 'x'] * 3]
        """,
    "del and assert": """
        def f(n):
            x = [1, 2, 3]
            for i in range(10):
                y = log(i)
                del y
            del x[0], x[-1]
            assert log(x) == [2], log('not said')
            try:
                assert not x, log('message')
            except AssertionError as error:
                return str(error)
        """,
    "formatted strings": """
        def f(n):
            out = []
            for i in range(10):
                out.append(f'{log(i)!r:>4}|{i + 1:{log(6)}d}|{[j for j in range(i)]}')
            return out
        """,
    "annotations": """
        def g(x: int, y: 'float' = 2.0) -> float:
            z: int = x + log(1)
            w: float
            w = z * y
            return w
        def f(n):
            return [g(i) for i in range(10)], sorted(g.__annotations__)
        """,
    "docstring": """
        def f(n):
            'says what'
            return f.__doc__, f.__name__, f.__defaults__
        """,
    "inner generator": """
        def f(n):
            def count(k):
                for i in range(k):
                    yield log(i)
            total = 0
            for i in count(20):
                total += i
            return total, list(count(3))
        """,
    "decorated helper": """
        import functools
        @functools.lru_cache(maxsize=None)
        def g(k):
            log(k)
            return k if k < 2 else g(k - 1) + g(k - 2)
        def f(n):
            return [g(k) for k in range(20)]
        """,
    "inner class": """
        def f(n):
            class C:
                __hidden = 3
                def get(self):
                    return self.__hidden + n
            return [C().get() for _ in range(12)]
        """,
    "loop over a changing list": """
        def f(n):
            x = [0]
            for v in x:
                if v < 15:
                    x.append(v + 1)
            return x
        """,
    "loop target is an element": """
        def f(n):
            x = [0, 0]
            for x[log(1)] in range(12):
                log(x)
            for i, (j, *k) in [(1, (2, 3, 4))] * 11:
                log(i, j, k)
            return x
        """,
    "array code": """
        def f(n):
            a = np.arange(24.0).reshape(4, 6)
            b = a[:, ::-1][1:, None]
            a[a > 10] *= -1
            a[[0, 0, 1]] += 1
            i, j = np.nonzero(a < -15)
            a[i, j] = 0
            np.add.at(a, (np.array([0, 0]), 1), 5)
            for k in range(a.shape[0]):
                a[k, :k] = a[k, :k] @ a[:k, :k] if k else 0
            out = np.empty_like(a)
            np.multiply(a, 2, out=out)
            return a, b.shape, out.sum(axis=(0, 1)), a.T[..., 0]
        """,
    "resizing an array in place": """
        def f(n):
            a = np.arange(4.0)
            a.resize(8)
            return a
        """,
    "names of the instrument's own": """
        def f(n):
            _jm0_w = log(1)
            for i in range(10):
                _jm0_w += i
            return _jm0_w
        """,
    "module-level lambda": """
        square = lambda x: log(x) ** 2
        def f(n):
            return [square(i) for i in range(12)]
        """,
    "a lone global statement": """
        def g():
            global k
        def f(n):
            return g(), g()
        """,
    "exception in the test of a loop": """
        def f(n):
            x = list(range(12))
            i = 0
            while x[i] >= 0:
                i += 1
            return i
        """,
    "imports inside": """
        def f(n):
            out = 0
            for i in range(10):
                import math as m
                from math import floor
                out += m.sqrt(i) + floor(2.5)
            return out
        """,
    "conditional helpers": """
        def g(x):
            log('g', x)
            return x > 3
        def f(n):
            return [i for i in range(20) if g(i) and g(i - 3)], [g(i) if i % 2 else -i for i in range(12)]
        """,
    "semicolons and one-liners": """
        def f(n):
            s = 0; t = 1
            for i in range(10): s += i; t *= 2
            while s > 3: s -= 3
            if s: return s, t
            return None
        """,
    "no return": """
        def f(n):
            pass
        """,
    "exceptions groups": """
        def f(n):
            try:
                raise ExceptionGroup('g', [ValueError(1), KeyError(2)])
            except* ValueError as e:
                log('value')
            except* KeyError:
                log('key')
        """,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_watched_program_does_the_same(name: str) -> None:
    import textwrap

    plain, watched = both(textwrap.dedent(PROGRAMS[name]), "f(7)")
    assert watched == plain


@pytest.mark.parametrize("name", PROGRAMS)
def test_and_again_when_it_is_called_many_times(name: str) -> None:
    import textwrap

    text = textwrap.dedent(PROGRAMS[name]) + MANY
    plain, watched = both(text, "_many()")
    assert watched == plain


MANY = """
def _many():
    out = []
    for _ in range(23):
        try:
            out.append(repr(f(5)))
        except Exception as error:
            out.append(repr(error))
    return out
"""


def test_a_deep_recursion_that_just_fits_still_fits() -> None:
    text = "def f(n):\n    if n == 0:\n        return 0\n    return 1 + f(n - 1)\n"
    plain, watched = both(text, "f(700)")
    assert watched == plain
    assert plain[0] == "700"
