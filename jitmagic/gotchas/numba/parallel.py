"""Parallel loops: what goes wrong where a loop that is not independent becomes a `prange`.

jitmagic makes a loop parallel where it proves that it may, so that these are avoided; they are named for who goes on
by hand.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jitmagic.gotchas.context import CONFIRMED, NOT_SEEN, Context, Note
from jitmagic.gotchas.registry import rule, unseen

_KEPT = "the variant keeps such a loop serial"


def _counted(ctx: Context) -> Iterator[tuple[ast.For, str]]:
    """Yields the loops over a range, with the name that counts."""
    for node in ctx.nodes(ast.For):
        ranged = isinstance(node.iter, ast.Call) and ctx.names.path(node.iter.func) == "builtins.range"
        if ranged and isinstance(node.target, ast.Name):
            yield node, node.target.id


def _subscripts(node: ast.AST, kind: type[ast.expr_context]) -> Iterator[ast.Subscript]:
    for one in ast.walk(node):
        if isinstance(one, ast.Subscript) and isinstance(one.ctx, kind):
            yield one


def _affine(index: ast.expr, name: str) -> bool:
    """Tells whether an index is the counter, or the counter plus or minus something without it."""
    if isinstance(index, ast.BinOp) and isinstance(index.op, ast.Add | ast.Sub):
        sides = [_names(side, name) for side in (index.left, index.right)]
        return sides == [True, False] and _affine(index.left, name)
    return isinstance(index, ast.Name) and index.id == name


def _names(node: ast.AST, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(node))


@rule("NB-RACE-ELEM", severity="silent", handled=True, explains=("values", "mutated"))
def scattered_stores(ctx: Context) -> Iterator[Note]:
    """Two trips of a parallel loop write one element.

    What happens: `h[idx[i]] += 1` in a `prange` loses counts, and other ones in each run.
    Why: Trips run at the same time, and reading, adding and writing are three steps.
    Example:
        for i in prange(len(idx)):
            h[idx[i]] += 1
    Instead:
        for i in range(len(idx)):
            h[idx[i]] += 1
    See: https://numba.readthedocs.io/en/stable/user/parallel.html
    """
    for loop, name in _counted(ctx):
        for node in ast.walk(loop):
            target = node.target if isinstance(node, ast.AugAssign) else None
            if not isinstance(target, ast.Subscript) or ctx.kind(target.value) not in ("array", None):
                continue
            parts = target.slice.elts if isinstance(target.slice, ast.Tuple) else [target.slice]
            if not any(_affine(part, name) for part in parts) and ctx.loops(node)[:1] == [loop]:
                yield ctx.gotcha(
                    node, ctx.status(node),
                    f"In a `prange`, two trips of the loop over `{name}` may add to one element in "
                    f"`{ctx.text(node)}` at once and lose one; {_KEPT}.",
                    "Add into an array of each thread's own, and sum these at the end.",
                )  # fmt: skip


@rule("NB-RACE-SCALAR", severity="silent", handled=True, explains=("values",))
def carried_scalars(ctx: Context) -> Iterator[Note]:
    """A scalar that a trip compares and replaces is not reduced.

    What happens: `if a[i] > m: m = a[i]` in a `prange` gave 0.637 for a largest value of 0.99999.
    Why: Numba knows reductions by their operator; a branch that stores is none of them.
    Example:
        for i in prange(n):
            if a[i] > m:
                m = a[i]
    Instead:
        for i in prange(n):
            m = max(m, a[i])
    See: https://numba.readthedocs.io/en/stable/user/parallel.html
    """
    for loop, name in _counted(ctx):
        for node in ast.walk(loop):
            if not isinstance(node, ast.If):
                continue
            asked = {one.id for one in ast.walk(node.test) if isinstance(one, ast.Name)}
            for store in node.body:
                plain = isinstance(store, ast.Assign) and isinstance(store.targets[0], ast.Name)
                if plain and store.targets[0].id in asked - {name}:  # type: ignore[attr-defined]
                    held = store.targets[0].id  # type: ignore[attr-defined]
                    yield ctx.gotcha(
                        store, ctx.status(store),
                        f"`{held}` is compared and replaced in a branch: in a `prange` each thread would have one of "
                        f"its own, and one of them would win; {_KEPT}.",
                        f"Write it as a reduction: `{held} = max({held}, …)`.",
                    )  # fmt: skip
                    break


@rule("NB-CARRY", severity="silent", handled=True, explains=("values", "mutated"))
def recurrences(ctx: Context) -> Iterator[Note]:
    """A trip reads what the trip before it wrote.

    What happens: A recurrence, or a Gauss-Seidel sweep, gives other numbers in a `prange`.
    Why: Trips run in any order.
    Example:
        for i in prange(1, n):
            u[i] = 0.5 * (u[i - 1] + f[i])
    Instead:
        for i in range(1, n):
            u[i] = 0.5 * (u[i - 1] + f[i])
    See: https://numba.readthedocs.io/en/stable/user/parallel.html
    """
    for loop, name in _counted(ctx):
        stored = {
            ast.unparse(s.value): ast.unparse(s.slice) for s in _subscripts(loop, ast.Store) if _names(s.slice, name)
        }
        for read in _subscripts(loop, ast.Load):
            base, index = ast.unparse(read.value), ast.unparse(read.slice)
            if base in stored and index != stored[base] and _names(read.slice, name):
                yield ctx.gotcha(
                    read, ctx.status(read),
                    f"`{ctx.text(read)}` may be what another trip of the loop over `{name}` writes: in a `prange` it "
                    f"is "
                    f"read too early or too late; {_KEPT}.",
                    "Keep it serial, or split the elements into two colours that do not read each other.",
                )  # fmt: skip
                break


@rule("NB-NEGIDX-PAR", severity="silent", handled=True, explains=("values", "mutated"))
def negative_counters(ctx: Context) -> Iterator[Note]:
    """A `prange` index has no sign.

    What happens: `a[-i]` in a `prange` reads outside the array.
    Why: In parallel mode the index is an unsigned integer, and `-i` is near to 2**64.
    Example:
        for i in prange(1, n):
            b[i] = a[-i]
    Instead:
        for i in prange(1, n):
            b[i] = a[n - i]
    See: https://github.com/numba/numba/issues/8652
        https://numba.readthedocs.io/en/stable/user/parallel.html
    """
    for loop, name in _counted(ctx):
        for node in ast.walk(loop):
            minus = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
            if minus and isinstance(node.operand, ast.Name) and node.operand.id == name:  # type: ignore[attr-defined]
                yield ctx.gotcha(
                    node, ctx.status(node),
                    f"`-{name}` of a `prange` index has no sign and is near to 2**64; the variant counts with signed "
                    "integers, or keeps the loop serial.",
                    f"Count from the length: `n - {name}`.",
                )  # fmt: skip


@rule("NB-UINT-FLOAT", severity="silent", hook="observed", explains=("values", "dtype"))
def unsigned_with_signed(ctx: Context) -> Iterator[Note]:
    """An unsigned 64-bit integer with a signed one is a float.

    What happens: Above 2**53 digits are lost, and the result is float64 where NumPy keeps an integer.
    Why: Numba has no integer that holds both, as NumPy before version 2 had none.
    Example:
        h = h * 31 + k
    Instead:
        h = h * np.uint64(31) + k
    See: https://github.com/numba/numba/issues/7246
        https://numba.readthedocs.io/en/stable/user/parallel.html
    """
    for node in ctx.nodes(ast.BinOp):
        result = ctx.fact(node)
        pair = {ctx.dtype(node.left) or ctx.kind(node.left), ctx.dtype(node.right) or ctx.kind(node.right)}
        if pair == {"uint64", "int"} and result is not None and result.dtype == "uint64":
            yield ctx.gotcha(
                node, CONFIRMED,
                f"`{ctx.text(node)}` is uint64 in NumPy, and float64 in Numba: a Python integer is signed there.",
                "Make the integer unsigned too: `np.uint64(…)`.",
            )  # fmt: skip


@rule("NB-PRANGE-LIST", severity="silent", handled=True, explains=("values", "exception"))
def containers(ctx: Context) -> Iterator[Note]:
    """A list that is changed in a parallel loop breaks.

    What happens: `out.append(…)` in a `prange` loses elements or ends the process.
    Why: Numba's lists, dicts and sets are not made for several threads.
    Example:
        for i in prange(n):
            out.append(x[i])
    Instead:
        out = np.empty(n)
        for i in prange(n):
            out[i] = x[i]
    See: https://numba.readthedocs.io/en/stable/user/parallel.html
    """
    for loop, name in _counted(ctx):
        for node in ast.walk(loop):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                changes = node.func.attr in ("append", "extend", "insert", "pop", "add", "update", "setdefault")
                if (
                    changes
                    and ctx.kind(node.func.value) in ("list", "dict", "object")
                    and ctx.loops(node)[:1] == [loop]
                ):
                    yield ctx.gotcha(
                        node, ctx.status(node),
                        f"`{ctx.text(node)}` changes a container in the loop over `{name}`: several threads would "
                        f"break "
                        f"it; {_KEPT}.",
                        "Store into an array that was made before the loop.",
                    )  # fmt: skip


@rule("NB-PRANGE-EXIT", severity="performance", handled=True)
def exits(ctx: Context) -> Iterator[Note]:
    """A loop that can be left early is not parallel.

    What happens: With `break`, `return`, `raise` or `assert` in its body a `prange` runs serially, with a warning only.
    Why: Threads cannot stop each other.
    Example:
        for i in prange(n):
            if x[i] < 0:
                return False
    Instead:
        ok = (x >= 0).all()
    See: https://numba.readthedocs.io/en/stable/user/parallel.html
    """
    for loop, name in _counted(ctx):
        for node in ast.walk(loop):
            if isinstance(node, ast.Break | ast.Return | ast.Raise | ast.Assert):
                yield ctx.gotcha(
                    node, NOT_SEEN, f"`{ctx.text(node)}` leaves the loop over `{name}`: it could not run in "
                    f"parallel; {_KEPT}.",
                    "Test before the loop, or keep a flag and go on.",
                )  # fmt: skip
                break


@unseen(
    "NB-PRANGE-INIT", severity="silent", handled=True,
    why="the variant's reductions begin with the value that the user's loop begins with, and every variant is "
    "verified",
)  # fmt: skip
def starts() -> None:
    """A parallel `max` or `min` must begin with a value that changes nothing.

    What happens: A reduction that begins with another value than its identity counts that value once for each thread.
    Why: Each thread begins with the value that the variable had.
    Example:
        m = 0.0
        for i in prange(n):
            m = max(m, a[i])
    Instead:
        m = -np.inf
        for i in prange(n):
            m = max(m, a[i])
    See: https://numba.readthedocs.io/en/stable/user/parallel.html
    """


@unseen(
    "NB-PRANGE-SLICEIDX", severity="silent", handled=True,
    why="it is an error of some of Numba's versions and not of a construct; each variant is verified, and a wrong "
    "one is "
    "dropped",
)  # fmt: skip
def miscompiled() -> None:
    """Some versions of Numba compile parallel loops wrongly.

    What happens: Conditional reductions, and two parallel loops after each other, gave wrong numbers in some versions.
    Why: Errors in Numba's fusion of parallel loops.
    Example:
        for i in prange(n):
            if mask[i]:
                total += x[i]
    Instead:
        for i in prange(n):
            total += x[i] * mask[i]
    See: https://github.com/numba/numba/issues/7344
        https://github.com/numba/numba/issues/9829
    """


@rule("NB-PAR-BROADCAST", severity="silent", hook="observed", handled=True, explains=("values", "exception"))
def stretched(ctx: Context) -> Iterator[Note]:
    """In parallel mode an array may be stretched wrongly.

    What happens: With parallel=True, Numba 0.68 reads outside an array of length 1 that NumPy would stretch, in sums
        such
        as `a[:, None] + b` within one fused loop.
    Why: The loops that Numba makes of whole-array statements take all operands as equally long.
    Example:
        c = row + column
    Instead:
        c = np.broadcast_to(row, shape) + np.broadcast_to(column, shape)
    See: https://numba.readthedocs.io/en/stable/user/parallel.html
    """
    for node in ctx.nodes(ast.BinOp):
        left, right = ctx.fact(node.left), ctx.fact(node.right)
        if left is None or right is None or left.kind != "array" or right.kind != "array":
            continue
        pairs = list(zip(reversed(left.shape or ()), reversed(right.shape or ()), strict=False))
        if any(one != other and 1 in (one, other) for one, other in pairs):
            yield ctx.gotcha(
                node, CONFIRMED,
                f"`{ctx.text(node)}` stretches an axis of length 1, which parallel mode may do wrongly; the variant "
                f"writes "
                "it out, or is not made.",
                "Write the loop, or give both sides their full shape with `np.broadcast_to`.",
            )  # fmt: skip
            return


@rule("NB-PAR-LENGTHS", severity="silent", hook="observed", handled=True, explains=("values", "exception"))
def changing_lengths(ctx: Context) -> Iterator[Note]:
    """In parallel mode an array may keep the length that it had before a loop.

    What happens: With parallel=True, Numba 0.68 gives wrong results, without a word, for a name that each step of a
        loop binds to an array of another length, made of the one before.
    Why: Numba follows the lengths of arrays from statement to statement, but not from a loop's end back to its head.
    Example:
        while len(x) != n:
            n = len(x)
            x = x[np.abs(x - x.mean()) < 2 * x.std()]
    Instead:
        keep = np.ones(len(x), dtype=np.bool_)
        while keep.sum() != n:
            n = keep.sum()
            keep &= np.abs(x - x[keep].mean()) < 2 * x[keep].std()
    See: https://numba.readthedocs.io/en/stable/user/parallel.html
    """
    for loop in (*ctx.nodes(ast.For), *ctx.nodes(ast.While)):
        names = [node for node in ast.walk(loop) if isinstance(node, ast.Name)]
        for statement in ast.walk(loop):
            target = statement.targets[0] if isinstance(statement, ast.Assign) else None
            if not isinstance(target, ast.Name):
                continue
            own = [node for node in names if node.id == target.id]
            facts = [ctx.fact(node) for node in own if isinstance(node.ctx, ast.Load) and node.lineno <= target.lineno]
            if any(fact is not None and fact.kind == "array" and None in (fact.shape or ()) for fact in facts):
                yield ctx.gotcha(
                    statement, CONFIRMED,
                    f"`{target.id}` has another length in each step of the loop, which parallel mode does not follow; "
                    "the parallel variant is not made.",
                    "Compile it without `parallel=True`, or keep the length and a mask.",
                )  # fmt: skip
                return
