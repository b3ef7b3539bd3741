"""Random chains of whole-array statements: the loop nests, run by Python itself, give what NumPy gives.

Nothing is compiled, so that some hundred programs take seconds; that Numba reads the nests as Python does is what
`test_regions` and the corpus are for.
"""

import copy

import numpy as np
import pytest

from jitmagic.backends.protocol import Draft
from tests.backends.numba.harness import assert_same, drafts, reference, workload

PROGRAMS = 160
PYTHON = "def njit(*args, **kwargs):\n    return lambda function: function\n\n\nprange = range\n"


class Writer:
    """Writes one program; ``shapes`` holds what each name is: "nm", "nm2", "n1", "1m", "n", "m", "mask" or "number"."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.shapes = {"x": "nm", "y": "nm", "v": "m", "s": "number"}
        self.lines = []
        self.count = 0

    def pick(self, *choices):
        return choices[int(self.rng.integers(len(choices)))]

    def of(self, *shapes):
        return [name for name, shape in self.shapes.items() if shape in shapes]

    def new(self, shape):
        self.count += 1
        name = self.pick("a", "b", "c", "i", "j", "total", "d") + (str(self.count) if self.rng.random() < 0.5 else "")
        if name in self.shapes and self.shapes[name] != shape:
            name = f"z{self.count}"
        return name

    def number(self):
        return self.pick("2", "0.5", "s", "1.5", "(s + 1)", "3*s")

    def leaf(self):
        """Returns an expression that stretches to (n, m)."""
        kind = self.rng.random()
        if kind < 0.2:
            return self.window()
        if kind < 0.3:
            shift, axis = self.pick("1", "-2", "top", "(1, first)"), self.pick("0", "1", "axis=-1")
            return f"np.roll({self.pick(*self.of('nm'))}, {shift}, {'(1, 0)' if shift[0] == '(' else axis})"
        if kind < 0.4 and self.of("nm2"):
            return self.pick(*self.of("nm2")) + self.pick("[..., 0]", "[:, :, 1]", "[..., 1]")
        name = self.pick(*self.of("nm", "nm", "n1", "1m", "m", "n"))
        if self.shapes[name] == "n":
            return f"{name}[:, None]"
        if self.shapes[name] == "m" and self.rng.random() < 0.3:
            return f"{name}[None, :]"
        return name

    def window(self):
        """Returns a part of ``w``, of shape (n + 2, m + 3), that is (n, m); ``top`` is 0, 1, or counts from the end."""
        rows = self.pick(":-2", "1:-1", "2:", "top:top + x.shape[0]")
        columns = self.pick(":-3", "2:-1", "3:", "1:-2", "first:first + x.shape[1]")
        return f"w[{rows}, {columns}]"

    def expression(self, depth=2):
        if depth == 0 or self.rng.random() < 0.2:
            return self.leaf()
        kind = self.rng.random()
        inner = self.expression(depth - 1)
        if kind < 0.2:
            return f"{self.pick('np.exp', 'np.cos', 'np.sqrt', 'np.tanh')}(np.abs({inner})*0.1)"
        if kind < 0.3:
            return f"np.where({inner} > {self.number()}, {self.expression(depth - 1)}, 1.0)"
        if kind < 0.5:
            return f"({inner} {self.pick('+', '-', '*')} {self.number()})"
        return f"({inner} {self.pick('+', '-', '*')} {self.expression(depth - 1)})"

    def whole(self, depth=2):
        """Returns an expression of shape (n, m) for certain."""
        return f"{self.pick(*self.of('nm'))}{self.pick(' + ', '*', ' - ')}{self.expression(depth)}"

    def statement(self, looped=False):
        kind = self.rng.random()
        if kind < 0.35:
            value = self.whole()
            name = self.new("nm") if not looped else self.pick(*self.of("nm")[2:] or ["y"])
            self.shapes[name] = "nm"
            return f"{name} = {value}"
        if kind < 0.5:
            value = self.pick(self.expression(1), self.number())
            return f"{self.pick(*self.of('nm'))} {self.pick('+=', '-=', '*=')} {value}"
        if kind < 0.62:
            value = f"{self.whole(1)} > {self.number()}"
            name = self.new("mask") if not looped else self.pick(*self.of("mask") or ["y"])
            if name == "y":
                return "y = y*0.5"
            self.shapes[name] = "mask"
            return f"{name} = {value}"
        if kind < 0.75 and self.of("mask"):
            mask, name = self.pick(*self.of("mask")), self.pick(*self.of("nm"))
            other = self.pick(*self.of("nm"))
            value = self.pick(self.number(), f"{other}[{mask}]*0.5", f"np.cos({name}[{mask}]) + {other}[{mask}]")
            return f"{name}[{mask}] {self.pick('=', '+=')} {value}"
        if not looped and kind < 0.79:
            value = f"{self.pick(*self.of('nm'))}[:, :, None]{self.pick('*', ' - ')}p"
            name = self.new("nm2")
            self.shapes[name] = "nm2"
            return f"{name} = {value}"
        if not looped and kind < 0.84:
            inner = self.pick(self.pick(*self.of("nm")), f"({self.whole(1)})")
            value, vector = self.pick((f"{inner} @ {{}}", "m"), (f"np.dot({inner}, {{}})", "m"))
            value = value.format(self.pick(*self.of(vector)))
            name = self.new("n")
            self.shapes[name] = "n"
            return f"{name} = {value}"
        if not looped and kind < 0.9:
            inner, axis = self.pick(self.pick(*self.of("nm")), f"({self.whole(1)})"), self.pick(0, 1, -1)
            value = f"{inner}.{self.pick('argmax', 'argmin')}(axis={axis})"
            shape = "n" if axis else "m"
            name = self.new(shape)
            self.shapes[name] = shape
            return f"{name} = {value}"
        if looped:
            name = self.pick(*self.of("nm"))
            return f"{name} = {name}*0.5 + np.cos({self.leaf()})*k"
        function = self.pick("sum", "mean", "max", "min")
        axis, keep = self.pick(0, 1, -1, None), self.pick(True, False)
        inner = self.pick(self.pick(*self.of("nm")), f"({self.whole(1)})")
        if axis is None:
            name = self.new("number")
            self.shapes[name] = "number"
            return f"{name} = {inner}.{function}()*0.01"
        shape = {(0, True): "1m", (0, False): "m"}.get((axis, keep), "n1" if keep else "n")
        name = self.new(shape)
        self.shapes[name] = shape
        return f"{name} = {inner}.{function}(axis={axis}{', keepdims=True' if keep else ''})"

    def program(self):
        for _ in range(int(self.rng.integers(3, 8))):
            if self.rng.random() < 0.25:
                self.lines.append("for k in range(steps):")
                self.lines += ["    " + self.statement(True) for _ in range(int(self.rng.integers(1, 4)))]
            else:
                self.lines.append(self.statement())
        own = ("x", "y", "v", "w", "p")
        names = [name for name, shape in self.shapes.items() if shape != "number" and name not in own]
        given = [name for name in names if self.rng.random() < 0.6] or ["x"]
        numbers = [name for name in self.of("number") if name != "s"]
        body = "\n    ".join([*self.lines, f"return {', '.join([*given, *numbers])},"])
        return f"def fn(x, y, v, w, s, top, first, steps, p):\n    {body}\n"


def arguments(n, m, steps, top=1, first=2, seed=3):
    rng = np.random.default_rng(seed)
    x, y, v = rng.standard_normal((n, m)), rng.standard_normal((n, m)), rng.standard_normal(m)
    return x, y, v, rng.standard_normal((n + 2, m + 3)), 0.7, top, first, steps, np.array([0.5, 2.0])


def interpreted(work, draft, args):
    scope = dict(work.constants)
    lines = [line for line in draft.module.text.splitlines() if not line.startswith("from numba import")]
    exec(PYTHON + "\n".join(lines), scope)
    args = copy.deepcopy(args)
    with np.errstate(all="ignore"):
        result = scope[draft.entry](*args)
    return result, args


@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(range(k, k + 20), id=f"{k}", marks=[pytest.mark.slow] if k else [])
        for k in range(0, PROGRAMS, 20)
    ],
)
def test_random_chains(seeds):
    nests = 0
    for seed in seeds:
        source = Writer(seed).program()
        args = arguments(4, 3, 2)
        work = workload(source, *copy.deepcopy(args))
        calls = (args, arguments(2, 5, 3, -4, -7), arguments(3, 2, 0, 0, 3))
        try:
            answers = [reference(workload(source, *copy.deepcopy(given))) for given in calls]
        except Exception:
            continue  # NumPy itself refuses it
        draft = drafts(work)["numba"]
        assert isinstance(draft, Draft), f"{draft}\n{source}"
        nests += draft.nested
        for given, (wanted, after) in zip(calls, answers, strict=True):
            got, left = interpreted(work, draft, given)
            try:
                assert_same(got, wanted, 1e-9)
                assert_same(list(left), list(after), 1e-9)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}\n{source}\n{draft.module.text}") from error
    assert nests >= 4
