"""Rewrite ``if`` on a traced value as ``jnp.where`` where the branches are cheap, as ``lax.cond`` otherwise.

``where`` computes both sides, which is safe since no JAX operation raises; ``cond`` is taken for branches that
call functions, loop, or return more than one array.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.jax.loops import LoopMaker
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import alternative, code, commented, leading, made, small, statements, with_body

_CHEAP = 8
"""Branches with more statements than this become functions for ``lax.cond``."""


class BranchMaker:
    """Makes selections from branches whose statements are already rewritten.

    Parameters
    ----------
    loops : LoopMaker
        For names and refusals.
    helpers : frozenset of str
        User functions: a call of one is not cheap.
    """

    def __init__(self, loops: LoopMaker, helpers: frozenset[str]) -> None:
        self.loops = loops
        self.helpers = helpers

    def refuse(self, node: cst.CSTNode, reason: str) -> Unsupported:
        return self.loops.refuse(node, reason, "JX-IFTRACED")

    def select(
        self, node: cst.If, then: list[Any], other: list[Any], after: frozenset[str], defined: set[str]
    ) -> list[Any]:
        """Returns the statements for an ``if`` without ``return``: every live name is selected."""
        assigned = _names(then) + [n for n in _names(other) if n not in _names(then)]
        wanted = [n for n in assigned if n in after]
        acting = next((s for s in [*then, *other] if not _only_binds(s)), None)
        if acting is not None:
            raise self.refuse(
                acting if self.loops.module.line(acting) is not None else node,
                f"`{_first_line(acting)}` is done or not depending on array values "
                f"(`{code(node.test)}`), and JAX cannot leave it out while it compiles; compute a value with np.where "
                "instead",
            )
        if not wanted:
            return []  # what it binds is not used
        for name in wanted:
            if name not in defined and not (name in _names(then) and name in _names(other)):
                raise self.refuse(
                    node,
                    f"`{name}` is bound in one branch only, and which one depends on array values; bind it before "
                    "the `if`",
                )
        if self.cheap(then) and self.cheap(other):
            lines = self.where(node, then, other, set(wanted), defined)
            if lines is not None:
                return lines
        return self.cond(node, then, other, wanted, defined)

    def returned(self, node: cst.If, then: list[Any], other: list[Any], defined: set[str]) -> list[Any]:
        """Returns the statements for an ``if`` both of whose sides end in a ``return``."""
        a, b = small(then[-1]), small(other[-1])
        if isinstance(a, cst.Raise) or isinstance(b, cst.Raise):
            raise self.loops.refuse(
                node,
                "whether this raises depends on array values, which compiled code cannot do; check the arguments "
                "before the computation, at the top of the function",
                "JX-RAISE",
            )
        if a.value is None or b.value is None:
            raise self.refuse(node, "one side returns nothing and the other something, depending on array values")
        single = not isinstance(a.value, cst.Tuple) and not isinstance(b.value, cst.Tuple)
        if len(then) == 1 and len(other) == 1 and single and self.cheap(then) and self.cheap(other):
            line = made(f"return __numpy__.where({code(node.test)}, {code(a.value)}, {code(b.value)})", node)
            return [leading(line, node)]
        bound = sorted(set(_names(then)) | set(_names(other)))
        operands = [n for n in bound if n in defined and (_read_first(n, then) or _read_first(n, other))]
        first, second = self.loops.name("then"), self.loops.name("otherwise")
        given = ", ".join(operands)
        lines = [
            with_body(made(f"def {first}({given}):\n    pass\n", node), then),
            with_body(made(f"def {second}({given}):\n    pass\n", node), other),
            made(f"return __jax__.lax.cond({', '.join([code(node.test), first, second, *operands])})", node),
        ]
        lines[0] = leading(lines[0], node)
        return lines

    def cheap(self, body: Sequence[Any]) -> bool:
        """Says whether both sides may simply be computed: few plain assignments, no calls of user functions."""
        if len(body) > _CHEAP:
            return False
        for statement in body:
            one = small(statement)
            if one is None or not isinstance(one, cst.Assign | cst.AugAssign | cst.Return | cst.Pass):
                return False
            if name_tools.loads(one) & self.helpers or ".linalg." in code(one):
                return False
        return True

    def where(
        self, node: cst.If, then: list[Any], other: list[Any], wanted: set[str], defined: set[str]
    ) -> list[Any] | None:
        """Returns selections by ``where``, None where the branches do not have the form for it."""
        first, second = _assignments(then), _assignments(other)
        if first is None or second is None:
            return None
        test = code(node.test)
        lines: list[tuple[str, str]] = []
        names = [n for n, _ in first]
        pairs: list[tuple[str, cst.BaseExpression | None, cst.BaseExpression | None]]
        if second and names == [n for n, _ in second]:
            if len(set(names)) < len(names):
                return None
            pairs = [(n, a, b) for (n, a), (_, b) in zip(first, second, strict=True)]
        elif not second or not set(names) & {n for n, _ in second}:
            pairs = [(n, a, None) for n, a in first] + [(n, None, b) for n, b in second]
        else:
            return None
        if len(pairs) > 1 and not isinstance(node.test, cst.Name):
            condition = self.loops.name("condition")
            lines.append(("", f"{condition} = {test}"))
            test = condition
        for name, a, b in pairs:
            only = a if b is None else b if a is None else None
            if name not in wanted and name not in defined and only is not None:
                lines.append((name, f"{name} = {code(only)}"))
                continue
            if name not in defined and (a is None or b is None):
                return None
            lines.append((name, f"{name} = {_selected(name, test, a, b)}"))
        result = [made(text, node) for _, text in lines]
        result[0] = leading(result[0], node)
        told: set[str] = set()
        for position, (name, _) in enumerate(lines):
            if name not in told:
                told.add(name)
                result[position] = commented(result[position], *_comments_on(then, name), *_comments_on(other, name))
        return result

    def cond(self, node: cst.If, then: list[Any], other: list[Any], wanted: list[str], defined: set[str]) -> list[Any]:
        operands = [n for n in wanted if n in defined]
        extra = [
            n
            for n in sorted((set(_names(then)) | set(_names(other))) - set(wanted))
            if n in defined and (_read_first(n, then) or _read_first(n, other))
        ]
        given = [*operands, *extra]
        first, second = self.loops.name("then"), self.loops.name("otherwise")
        result = ", ".join(wanted)
        lines = []
        for name, body in ((first, then), (second, other)):
            kept = [s for s in body if not isinstance(small(s), cst.Pass)]
            definition = made(f"def {name}({', '.join(given)}):\n    pass\n", node)
            lines.append(with_body(definition, [*kept, made(f"return {result}", node)]))
        lines.append(made(f"{result} = __jax__.lax.cond({', '.join([code(node.test), first, second, *given])})", node))
        lines[0] = leading(lines[0], node)
        return lines


def always_returns(body: Sequence[Any]) -> bool:
    """Says whether a block ends in a ``return`` on every path."""
    if not body:
        return False
    last = body[-1]
    if isinstance(small(last), cst.Return | cst.Raise):
        return True
    if isinstance(last, cst.If) and last.orelse is not None:
        return always_returns(statements(last)) and always_returns(alternative(last))
    return False


def contains_return(body: Sequence[Any]) -> bool:
    """Says whether a ``return`` stands in a block, those in nested functions aside."""
    for statement in body:
        if isinstance(small(statement), cst.Return):
            return True
        compound = isinstance(statement, cst.If | cst.For | cst.While | cst.With)
        if compound and (contains_return(statements(statement)) or contains_return(alternative(statement))):
            return True
    return False


def jump_in(body: Sequence[Any]) -> Any:
    """Returns the first ``break`` or ``continue`` in a block that leaves a loop around it, None if there is none."""
    for statement in body:
        if isinstance(small(statement), cst.Break | cst.Continue):
            return small(statement)
        if isinstance(statement, cst.If | cst.With):
            found = jump_in(statements(statement)) or jump_in(alternative(statement))
            if found is not None:
                return found
    return None


def _only_binds(statement: Any) -> bool:
    """Says whether a statement does nothing but bind names."""
    if isinstance(statement, cst.If | cst.For | cst.While):
        return all(_only_binds(inner) for inner in (*statements(statement), *alternative(statement)))
    return isinstance(statement, cst.FunctionDef) or isinstance(
        small(statement), cst.Assign | cst.AnnAssign | cst.AugAssign | cst.Pass
    )


def _names(body: Sequence[Any]) -> list[str]:
    found: list[str] = []
    for statement in body:
        one = small(statement)
        if isinstance(one, cst.Assign):
            found += [n for t in one.targets for n in name_tools.targets(t.target)]
        elif isinstance(one, cst.AugAssign | cst.AnnAssign):
            found += list(name_tools.targets(one.target))
        elif isinstance(statement, cst.If | cst.For | cst.While):
            found += _names(statements(statement))
            found += _names(alternative(statement))
            if isinstance(statement, cst.For):
                found += list(name_tools.targets(statement.target))
    return list(dict.fromkeys(found))


def _first_line(statement: cst.CSTNode) -> str:
    text = code(statement).strip().splitlines()[0]
    return text.partition("#@")[0].rstrip()  # without the mark of its line


def _read_first(name: str, body: Sequence[Any]) -> bool:
    """Says whether a block may read a name before binding it."""
    for statement in body:
        if name in name_tools.loads(statement) or isinstance(small(statement), cst.AugAssign):
            return True
        if name in _names([statement]) and not isinstance(statement, cst.If | cst.For | cst.While):
            return False
    return False


def _assignments(body: Sequence[Any]) -> list[tuple[str, cst.BaseExpression]] | None:
    """Returns (name, value) of a block of plain assignments to names; None for any other block."""
    found: list[tuple[str, cst.BaseExpression]] = []
    for statement in body:
        one = small(statement)
        if isinstance(one, cst.Pass):
            continue
        if isinstance(one, cst.Assign) and len(one.targets) == 1:
            target = one.targets[0].target
            if isinstance(target, cst.Name):
                found.append((target.value, one.value))
                continue
            if (
                isinstance(target, cst.Tuple)
                and isinstance(one.value, cst.Tuple)
                and len(target.elements) == len(one.value.elements)
            ):
                names = [e.value for e in target.elements]
                reads = frozenset().union(*(name_tools.loads(e.value) for e in one.value.elements))
                if all(isinstance(n, cst.Name) for n in names) and not reads & {code(n) for n in names}:
                    found += [(code(n), e.value) for n, e in zip(names, one.value.elements, strict=True)]
                    continue
        if isinstance(one, cst.AugAssign) and isinstance(one.target, cst.Name):
            symbol = code(one.operator).strip().removesuffix("=")
            value = code(one.value)
            product = isinstance(one.value, cst.BinaryOperation) and isinstance(
                one.value.operator, cst.Multiply | cst.Divide | cst.Power
            )
            if isinstance(one.value, cst.BinaryOperation | cst.IfExp) and not (product and symbol in ("+", "-")):
                value = f"({value})"
            found.append((one.target.value, cst.parse_expression(f"{one.target.value} {symbol} {value}")))
            continue
        return None
    return found


def _comments_on(body: Sequence[Any], name: str) -> list[str]:
    """Returns the comments above and behind the statements of a block that bind a name."""
    found = []
    for statement in body:
        if name not in _names([statement]):
            continue
        found += [line.comment.value for line in statement.leading_lines if line.comment is not None]
        behind = statement.trailing_whitespace.comment
        found += [behind.value.rpartition("#@")[0] if "#@" in behind.value else behind.value] if behind else []
    return [text for one in found if (text := one.lstrip("#").strip())]


def _selected(name: str, test: str, a: cst.BaseExpression | None, b: cst.BaseExpression | None) -> str:
    one, two = (code(x) if x is not None else name for x in (a, b))
    if (one, two) == ("True", name):  # a flag
        simple = test.replace("_", "").isalnum() or test.startswith("__numpy__.logical_")
        return f"{name} | {test}" if simple else f"{name} | ({test})"
    both = [_at_set(x, name) if x is not None else None for x in (a, b)]
    if both[0] is not None and both[1] is not None and both[0][0] == both[1][0]:
        return f"{name}.at[{both[0][0]}].set(__numpy__.where({test}, {both[0][1]}, {both[1][1]}))"
    for branch, yes in ((a, True), (b, False)):
        if (a is None) == (b is None):
            break
        if branch is None:
            continue
        stored = _at_set(branch, name)
        if stored is not None:
            index, value = stored
            old = f"{name}[{index}]"
            chosen = f"{test}, {value}, {old}" if yes else f"{test}, {old}, {value}"
            return f"{name}.at[{index}].set(__numpy__.where({chosen}))"
    return f"__numpy__.where({test}, {one}, {two})"


def _at_set(node: cst.BaseExpression, name: str) -> tuple[str, str] | None:
    """Returns index and value of ``x.at[index].set(value)`` (or of ``add``, as the sum)."""
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute) or len(node.args) != 1:
        return None
    subscript = node.func.value
    if not isinstance(subscript, cst.Subscript) or code(subscript.value) != f"{name}.at":
        return None
    index = ", ".join(code(s.with_changes(comma=cst.MaybeSentinel.DEFAULT)) for s in subscript.slice)
    value = code(node.args[0].value)
    if node.func.attr.value == "set":
        return index, value
    if node.func.attr.value == "add":
        return index, f"{name}[{index}] + {value}" if not value.startswith("-") else f"{name}[{index}] - {value[1:]}"
    return None
