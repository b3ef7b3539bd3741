"""Algorithms that a library has already: loops that are recognised as one, and forms that grow too fast.

>>> text = "def fn(a, out):\\n    s = 0.0\\n    for i in range(len(a)):\\n        s += a[i]\\n        out[i] = s\\n"
>>> [(one.line, one.what, one.instead) for one in known(scope_of(text, "fn", {}, None))]
[(3, 'a running sum', '`np.cumsum`')]

What is recognised follows from the subscripts and operators, never from names. It is advice, and nothing is rewritten
by it: what the user takes is compared like any other function.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jitmagic.analysis.scope import Scope, scope_of
from jitmagic.analysis.tree import own_nodes
from jitmagic.capture.workload import Workload
from jitmagic.observe.facts import Observation

_RUNNING = {
    "+": ("a running sum", "`np.cumsum`"),
    "*": ("a running product", "`np.cumprod`"),
    "max": ("a running maximum", "`np.maximum.accumulate`"),
    "min": ("a running minimum", "`np.minimum.accumulate`"),
}
_WINDOWS = {
    "mean": "`np.lib.stride_tricks.sliding_window_view(…).mean(-1)`, or differences of `np.cumsum`",
    "sum": "`np.lib.stride_tricks.sliding_window_view(…).sum(-1)`, or differences of `np.cumsum`",
    "max": "`scipy.ndimage.maximum_filter1d`",
    "min": "`scipy.ndimage.minimum_filter1d`",
    "std": "`np.lib.stride_tricks.sliding_window_view(…).std(-1)`",
    "median": "`scipy.ndimage.median_filter`",
}


@dataclass(frozen=True)
class Known:
    """One place that a library has a function for.

    Attributes
    ----------
    line : int
        Of the module's text.
    what : str
        What it computes, e.g. "a running sum".
    instead : str
        Where it is to be had, e.g. "`np.cumsum`".
    """

    line: int
    what: str
    instead: str


@dataclass(frozen=True)
class _Update:
    """``target[…] += value`` in loops, whatever way it is written; the target without subscripts is a number."""

    loops: tuple[ast.For, ...]
    target: str
    places: tuple[ast.expr, ...]
    value: ast.expr


def sentences(workload: Workload, observed: Observation | None) -> Iterator[str]:
    """Words what is known of a workload, with the user's lines."""
    for one in known(scope_of(workload.module.text, workload.function.name, workload.names, observed)):
        line = workload.module.origin_line(one.line)
        yield f"{f'Line {line}' if line is not None else 'It'} begins {one.what}, which {one.instead} computes."


def known(scope: Scope) -> list[Known]:
    """Lists what a function computes in loops, or by a detour, that NumPy or SciPy have, in the order of its lines."""
    found: dict[int, Known] = {}
    outer = [node for node in own_nodes(scope.function) if isinstance(node, ast.For)]
    for loop in outer:
        for one in _of_loop(scope, loop):
            found.setdefault(one.line, one)
    for update in _updates(scope, outer):
        sums = _contraction(scope, update)
        if sums is not None:
            found.setdefault(sums.line, sums)
    for one in _inverses(scope):
        found.setdefault(one.line, one)
    return [found[line] for line in sorted(found)]


# -- one loop


def _of_loop(scope: Scope, loop: ast.For) -> Iterator[Known]:
    index = _index(scope, loop)
    if index is None:
        return
    for recognise in (_triangular, _running, _recurrence, _counted, _windowed):
        one = recognise(scope, loop, index)
        if one is not None:
            yield one
            return


def _running(scope: Scope, loop: ast.For, index: str) -> Known | None:
    """``s += e; out[i] = s``, or ``out[i] = out[i - 1] + e``, where no ``e`` comes of what was summed before."""
    if any(isinstance(node, ast.Break | ast.Continue | ast.Return) for node in ast.walk(loop)):
        return None
    for statement in loop.body:
        target, operator, value = _step(statement)
        if target is None or operator not in _RUNNING or value is None:
            continue
        if isinstance(target, ast.Name):
            kept = _is_kept(loop, target.id, index)
            alone = sum(target.id in _stored(other) for other in loop.body) == 1
            if kept and alone and not _names(value) & _derived(loop, target.id):
                return Known(loop.lineno, *_RUNNING[operator])
    for statement in loop.body:
        if not (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Subscript)):
            continue
        place = statement.targets[0]
        if len(statement.targets) != 1 or _at(place, index) != 0 or not isinstance(place.value, ast.Name):
            continue
        operator, sides = _operation(statement.value)
        before = [one for one in sides if _same_array(one, place.value.id) and _at(one, index) == -1]
        rest = [one for one in sides if one not in before]
        derived = _derived(loop, place.value.id)
        if operator in _RUNNING and len(before) == 1 and not any(_names(one) & derived for one in rest):
            return Known(loop.lineno, *_RUNNING[operator])
    return None


def _derived(loop: ast.For, name: str) -> frozenset[str]:
    """Returns a name with all that a loop's steps make of its value, in this step or a later one."""
    found = {name}
    while True:
        more = {
            one
            for node in ast.walk(loop)
            if isinstance(node, ast.stmt) and node is not loop and _names(node) & found
            for one in _stored(node)
        }
        if more <= found:
            return frozenset(found)
        found |= more


def _recurrence(scope: Scope, loop: ast.For, index: str) -> Known | None:
    """``y[i] = c * y[i - 1] + d * x[i]`` with factors that stay the same: a linear filter."""
    changed = set().union(*(_stored(statement) for statement in loop.body)) | {index}
    for statement in loop.body:
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            continue
        place = statement.targets[0]
        if isinstance(place, ast.Subscript) and isinstance(place.value, ast.Name) and _at(place, index) == 0:
            own, array = place.value.id, True
        elif isinstance(place, ast.Name):
            own, array = place.id, False
        else:
            continue
        sources, feedback, weighted = set(), 0, False
        for term in _terms(statement.value):
            shifts = []
            for factor in _factors(term):
                before = array and _same_array(factor, own) and (_at(factor, index) or 0) < 0
                if before or (not array and isinstance(factor, ast.Name) and factor.id == own):
                    shifts.append(own)
                elif isinstance(factor, ast.Subscript) and isinstance(factor.value, ast.Name):
                    if _at(factor, index) is None or factor.value.id in changed:
                        break
                    shifts.append(factor.value.id)
                elif any(_mentions(factor, name) for name in changed):
                    break
            else:
                if len(shifts) == 1:
                    feedback += shifts[0] == own
                    weighted |= shifts[0] == own and len(_factors(term)) > 1
                    sources |= {*shifts} - {own}
                    continue
            break
        else:
            if not feedback or not (weighted or feedback > 1) or len(sources) != 1:
                continue
            if array or _is_kept(loop, own, index):
                return Known(loop.lineno, "a linear filter with feedback", "`scipy.signal.lfilter`")
            if feedback == 1 and len(_terms(statement.value)) == 2:
                return Known(loop.lineno, "a polynomial by Horner's scheme", "`np.polyval`")
    return None


def _is_kept(loop: ast.For, name: str, index: str) -> bool:
    """Tells whether ``out[i] = s`` keeps a number in each step."""
    return any(
        isinstance(other, ast.Assign)
        and _at(other.targets[0], index) == 0
        and isinstance(other.value, ast.Name)
        and other.value.id == name
        for other in loop.body
    )


def _counted(scope: Scope, loop: ast.For, index: str) -> Known | None:
    """``h[bin of x[i]] += w``: a histogram."""
    bound = {name for statement in loop.body for name in _stored(statement)}
    for statement in loop.body:
        if not isinstance(statement, ast.AugAssign) or not isinstance(statement.op, ast.Add):
            continue
        place = statement.target
        if not isinstance(place, ast.Subscript) or not isinstance(place.value, ast.Name):
            continue
        places = _places(place)
        if len(places) != 1 or isinstance(places[0], ast.Slice) or _at(place, index) is not None:
            continue
        where = places[0]
        computed = [where] + [
            other.value
            for other in loop.body
            if isinstance(other, ast.Assign) and isinstance(where, ast.Name) and where.id in _stored(other)
        ]
        reads = any(isinstance(node, ast.Subscript) for one in computed for node in ast.walk(one))
        if not reads and not (isinstance(where, ast.Name) and where.id in bound):
            continue
        if not any(_mentions(one, index) for one in computed) or place.value.id in _names(statement.value):
            continue
        cast = any(isinstance(node, ast.Call) for one in computed for node in ast.walk(one))
        counts = isinstance(statement.value, ast.Constant)
        instead = "`np.bincount`" if counts else "`np.bincount(…, weights=…)`"
        return Known(loop.lineno, "a histogram", f"`np.histogram` or {instead}" if cast else instead)
    return None


def _windowed(scope: Scope, loop: ast.For, index: str) -> Known | None:
    """``a[i:i + w].mean()`` for each ``i``."""
    for node in own_nodes(loop):
        if not isinstance(node, ast.Call):
            continue
        path = scope.names.path(node.func) or ""
        if isinstance(node.func, ast.Attribute) and not path and not node.args and not node.keywords:
            what, window = node.func.attr, node.func.value
        elif path.startswith(("numpy.", "builtins.")) and len(node.args) == 1 and not node.keywords:
            what, window = path.rpartition(".")[2], node.args[0]
        else:
            continue
        if what not in _WINDOWS or not isinstance(window, ast.Subscript) or not isinstance(window.slice, ast.Slice):
            continue
        lower, upper = window.slice.lower, window.slice.upper
        ends = [None if end is None else _coefficients(end, (index,)) for end in (lower, upper)]
        if window.slice.step is None and all(end is not None and end.get(index) == 1 for end in ends):
            return Known(loop.lineno, f"a moving {what}", _WINDOWS[what])
    return None


def _triangular(scope: Scope, loop: ast.For, index: str) -> Known | None:
    """``x[i] = (b[i] - A[i, :i] @ x[:i]) / A[i, i]``, the sum written as a loop or as a product."""
    for statement in loop.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target, value = statement.targets[0], statement.value
            if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Div):
                continue
            divisor = value.right
        elif isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Div):
            target, divisor = statement.target, statement.value
        else:
            continue
        if not (isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name)):
            continue
        own, places = target.value.id, _places(target)
        if not places or _coefficients(places[0], (index,)) != {index: 1}:
            continue
        matrix = _diagonal(divisor, ast.dump(places[0]))
        if matrix is None or matrix == own:
            continue
        here = ast.unparse(places[0])
        sides: dict[str, set[str | None]] = {own: set(), matrix: set()}
        for node in own_nodes(loop):
            if not isinstance(node, ast.Subscript) or not isinstance(node.ctx, ast.Load):
                continue
            inside = _places(node)
            if _same_array(node, own) and ast.unparse(inside[0]) != here:
                sides[own].add(_side(scope, inside[0], node, here))
            if _same_array(node, matrix) and len(inside) == 2 and ast.unparse(inside[1]) != here:
                sides[matrix].add(_side(scope, inside[1], node, here) if ast.unparse(inside[0]) == here else None)
        # what is read on both sides is an iteration such as Gauss-Seidel's
        if len(sides[own]) == 1 and sides[own] == sides[matrix] and None not in sides[own]:
            return Known(loop.lineno, "the solution of a triangular system", "`scipy.linalg.solve_triangular`")
    return None


def _side(scope: Scope, place: ast.expr, node: ast.AST, here: str) -> str | None:
    """Tells whether a place, or the places of a slice, lie before or behind another one; None where it is not clear."""
    if isinstance(place, ast.Slice):
        if place.step is not None:
            return None
        first, last = place.lower, place.upper
        if last is not None and ast.unparse(last) == here:
            return "before"
        return "behind" if last is None and first is not None and ast.unparse(first) == f"{here} + 1" else None
    if not isinstance(place, ast.Name):
        return None
    for loop in scope.tree.loops_around(node):
        if isinstance(loop, ast.For) and isinstance(loop.target, ast.Name) and loop.target.id == place.id:
            if not isinstance(loop.iter, ast.Call) or scope.names.path(loop.iter.func) != "builtins.range":
                return None
            ends = [ast.unparse(end) for end in loop.iter.args]
            if len(ends) == 1:
                return "before" if ends[0] == here else None
            if len(ends) == 2 and ends[1] == here:
                return "before"
            return "behind" if len(ends) == 2 and ends[0] in (f"{here} + 1", f"1 + {here}") else None
    return None


def _diagonal(node: ast.expr, place: str) -> str | None:
    """Returns the matrix of ``A[i, i]``."""
    if not isinstance(node, ast.Subscript):
        return None
    places = _places(node)
    root = _root(node)
    return root if root is not None and len(places) == 2 and all(ast.dump(one) == place for one in places) else None


# -- sums of products over several loops


def _updates(scope: Scope, loops: Sequence[ast.For]) -> Iterator[_Update]:
    for loop in loops:
        around = tuple(reversed([one for one in scope.tree.loops_around(loop) if isinstance(one, ast.For)]))
        if len(around) != len(scope.tree.loops_around(loop)):
            continue
        for statement in loop.body:
            target, operator, value = _step(statement)
            if operator != "+" or target is None or value is None:
                continue
            if isinstance(target, ast.Subscript) and (root := _root(target)) is not None:
                yield _Update((*around, loop), root, _places(target), value)
            elif isinstance(target, ast.Name):
                yield _kept(scope, loop, around, target.id, value)


def _kept(scope: Scope, loop: ast.For, around: tuple[ast.For, ...], name: str, value: ast.expr) -> _Update:
    """Returns what a number that a loop adds up is for: ``out[i] = s`` behind the loop makes it that place's sum."""
    body = around[-1].body if around else []
    for statement in body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Name) and statement.value.id == name:
            place = statement.targets[0]
            if isinstance(place, ast.Subscript) and (root := _root(place)) is not None:
                return _Update((*around, loop), root, _places(place), value)
    return _Update((loop,), name, (), value)


def _contraction(scope: Scope, update: _Update) -> Known | None:
    """Recognises products of matrices, convolutions and discrete Fourier transforms."""
    loops = list(update.loops)
    while loops and not any(_mentions(one, _target(loops[0])) for one in (*update.places, update.value)):
        loops.pop(0)  # it does the same again
    indices = [_index(scope, loop) for loop in loops]
    if None in indices or len(set(indices)) != len(indices):
        return None
    names = tuple(str(index) for index in indices)
    own = [_coefficients(place, names) for place in update.places]
    if any(one is None or set(one.values()) != {1} or len(one) != 1 for one in own):
        return None
    kept = [name for one in own if one is not None for name in one]
    summed = [name for name in names if name not in kept]
    if not summed or set(kept) - set(names):
        return None
    # bounds that follow another index make it a part of the product, or the ends of a convolution
    apart = not any(_mentions(loop.iter, name) for loop in loops for name in names)
    factors = [one for one in _factors(update.value) if any(_mentions(one, name) for name in names)]
    line = loops[0].lineno
    if apart and _fourier(scope, factors, names):
        return Known(line, "a discrete Fourier transform", "`np.fft.fft` (or `ifft`), in n log n operations,")
    reads = []
    for factor in factors:
        if not isinstance(factor, ast.Subscript) or _root(factor) in (None, update.target):
            return None
        found = [_coefficients(place, names) for place in _places(factor)]
        if any(one is None for one in found):
            return None
        reads.append([one for one in found if one is not None])
    if len(reads) != 2:
        return None
    whole = _product(line, kept, summed, reads) if apart else None
    return whole or _convolution(line, kept, summed, reads)


def _product(
    line: int, kept: Sequence[str], summed: Sequence[str], reads: Sequence[Sequence[Mapping[str, int]]]
) -> Known | None:
    """``c[i, j] += a[i, k] * b[k, j]`` and its kin: every place is one index."""
    if any(len(place) != 1 or set(place.values()) != {1} for read in reads for place in read):
        return None
    letters = [[next(iter(place)) for place in read] for read in reads]
    if any(len(set(read)) != len(read) for read in letters):
        return None
    if set(itertools.chain(*letters)) != {*kept, *summed}:
        return None
    ranks = sorted(map(len, letters))
    if len(summed) == 1 and all(summed[0] in read for read in letters):
        if ranks == [1, 1]:
            return Known(line, "a scalar product", "`a @ b`")
        if ranks == [1, 2] and len(kept) == 1:
            return Known(line, "a product of a matrix and a vector", "`A @ x`")
        if ranks == [2, 2] and len(kept) == 2:
            return Known(line, "a product of matrices", "`A @ B`")
    spelled = dict(zip(dict.fromkeys([*itertools.chain(*letters)]), "ijklmnop", strict=False))
    if len(spelled) < len({*kept, *summed}):
        return None
    text = ",".join("".join(spelled[name] for name in read) for read in letters)
    return Known(
        line, "a sum of products", f"`np.einsum('{text}->{''.join(spelled[name] for name in kept)}', …, optimize=True)`"
    )


def _convolution(
    line: int, kept: Sequence[str], summed: Sequence[str], reads: Sequence[Sequence[Mapping[str, int]]]
) -> Known | None:
    """``out[i] += x[i - k] * h[k]``: one factor has only summed indices, the other each with a kept one."""
    for window, kernel in (reads, reads[::-1]):
        if len(window) != len(kernel) or len(kernel) != len(summed) or len(kept) != len(summed):
            continue
        turned = set()
        used: list[str] = []
        for place, other in zip(window, kernel, strict=True):
            if len(other) != 1 or next(iter(other)) not in summed:
                break
            inner = next(iter(other))
            outer = [name for name in place if name in kept]
            if set(place) != {inner, *outer} or len(outer) != 1 or place[outer[0]] != 1 or abs(place[inner]) != 1:
                break
            turned.add(place[inner] * other[inner])
            used.append(inner)
        else:
            if len(turned) == 1 and len(set(used)) == len(used):
                flipped = turned == {-1}
                if len(kernel) == 1:
                    return Known(line, "a convolution" if flipped else "a correlation",
                                 "`np.convolve`, or `scipy.signal.fftconvolve` for long ones" if flipped
                                 else "`np.correlate`")  # fmt: skip
                name = "convolve" if flipped else "correlate"
                return Known(line, f"a {'convolution' if flipped else 'correlation'} in {len(kernel)} dimensions",
                             f"`scipy.signal.{name}`")  # fmt: skip
    return None


def _fourier(scope: Scope, factors: Sequence[ast.expr], names: Sequence[str]) -> bool:
    """Tells whether a factor is ``exp(±2j·π·k·n / N)`` in two of the indices, and another one read of an array."""
    waves, others = 0, 0
    for factor in factors:
        if isinstance(factor, ast.Call) and (scope.names.path(factor.func) or "") in ("numpy.exp", "cmath.exp"):
            argument = factor.args[0] if factor.args else factor
            imaginary = any(isinstance(n, ast.Constant) and isinstance(n.value, complex) for n in ast.walk(argument))
            turns = any((scope.names.path(n) or "").endswith(".pi") for n in ast.walk(argument))
            both = sum(_mentions(argument, name) for name in names) == 2
            waves += imaginary and turns and both and not any(isinstance(n, ast.Subscript) for n in ast.walk(argument))
        else:
            others += isinstance(factor, ast.Subscript)
    return waves == 1 and others == 1


# -- detours


def _inverses(scope: Scope) -> Iterator[Known]:
    """``np.linalg.inv(A) @ b``, also where the inverse has a name."""
    for node in own_nodes(scope.function):
        left = None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            left = node.left
        elif isinstance(node, ast.Call) and scope.names.path(node.func) in ("numpy.dot", "numpy.matmul") and node.args:
            left = node.args[0]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "dot":
            left = node.func.value
        if isinstance(left, ast.Name):
            bound = scope.names.values(scope.function, left.id)
            left = bound[0] if len(bound) == 1 and isinstance(bound[0], ast.expr) else left
        if isinstance(left, ast.Call) and scope.names.path(left.func) in ("numpy.linalg.inv", "scipy.linalg.inv"):
            line = scope.span(node).line
            yield Known(line, "a solution by the inverse matrix", "`np.linalg.solve(A, b)`, with less rounding,")


# -- reading of expressions


def _target(loop: ast.For) -> str:
    return loop.target.id if isinstance(loop.target, ast.Name) else ""


def _index(scope: Scope, loop: ast.For) -> str | None:
    """Returns the index of a loop over ``range``."""
    if not isinstance(loop.target, ast.Name) or not isinstance(loop.iter, ast.Call):
        return None
    path = scope.names.path(loop.iter.func)
    if path == "builtins.reversed" and loop.iter.args and isinstance(loop.iter.args[0], ast.Call):
        path = scope.names.path(loop.iter.args[0].func)
    return loop.target.id if path == "builtins.range" else None


def _step(statement: ast.stmt) -> tuple[ast.expr | None, str | None, ast.expr | None]:
    """Reads ``t += e``, ``t = t + e`` or ``t = max(t, e)`` as (t, "+", e)."""
    signs: dict[type[ast.operator], str] = {ast.Add: "+", ast.Mult: "*"}
    if isinstance(statement, ast.AugAssign):
        return statement.target, signs.get(type(statement.op)), statement.value
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        operator, sides = _operation(statement.value)
        same = [side for side in sides if ast.unparse(side) == ast.unparse(statement.targets[0])]
        rest = [side for side in sides if side not in same]
        if len(same) == 1 and len(rest) == 1:
            return statement.targets[0], operator, rest[0]
    return None, None, None


def _operation(node: ast.expr) -> tuple[str | None, list[ast.expr]]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mult):
        return "+" if isinstance(node.op, ast.Add) else "*", [node.left, node.right]
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in ("max", "min"):
        return None, []
    return (node.func.id, list(node.args)) if len(node.args) == 2 and not node.keywords else (None, [])


def _terms(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        return [*_terms(node.left), *_terms(node.right)]
    return [node]


def _factors(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_factors(node.left), *_factors(node.right)]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _factors(node.operand)
    return [node]


def _places(node: ast.Subscript) -> tuple[ast.expr, ...]:
    """Returns the subscripts of ``a[i, j]`` and of ``a[i][j]``."""
    inner = _places(node.value) if isinstance(node.value, ast.Subscript) else ()
    own = tuple(node.slice.elts) if isinstance(node.slice, ast.Tuple) else (node.slice,)
    return (*inner, *own)


def _root(node: ast.expr) -> str | None:
    while isinstance(node, ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _same_array(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Subscript) and _root(node) == name


def _at(node: ast.expr, index: str) -> int | None:
    """Returns k of ``a[i + k]``; None for any other place."""
    if not isinstance(node, ast.Subscript):
        return None
    places = _places(node)
    if len(places) != 1:
        return None
    return _shift(places[0], index)


def _shift(node: ast.expr, index: str) -> int | None:
    if isinstance(node, ast.Name) and node.id == index:
        return 0
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        sign = 1 if isinstance(node.op, ast.Add) else -1
        if isinstance(node.right, ast.Constant) and isinstance(node.right.value, int):
            before = _shift(node.left, index)
            return None if before is None else before + sign * node.right.value
        if sign == 1 and isinstance(node.left, ast.Constant) and isinstance(node.left.value, int):
            after = _shift(node.right, index)
            return None if after is None else after + node.left.value
    return None


def _coefficients(node: ast.expr, names: Sequence[str]) -> dict[str, int] | None:
    """Returns the whole factor of each index in a sum such as ``i - k + m // 2``; None where it is no such sum."""
    if isinstance(node, ast.Name) and node.id in names:
        return {node.id: 1}
    if not any(_mentions(node, name) for name in names):
        return None if isinstance(node, ast.Slice) else {}
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _coefficients(node.operand, names)
        return None if inner is None else {name: -count for name, count in inner.items()}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        left, right = _coefficients(node.left, names), _coefficients(node.right, names)
        if left is None or right is None:
            return None
        sign = 1 if isinstance(node.op, ast.Add) else -1
        total = dict(left)
        for name, count in right.items():
            total[name] = total.get(name, 0) + sign * count
        return {name: count for name, count in total.items() if count}
    return None


def _mentions(node: ast.AST, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(node))


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _stored(statement: ast.AST) -> set[str]:
    """Returns the names, and the arrays, that a statement writes."""
    found = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and (root := _root(node)):
            found.add(root)
    return found
