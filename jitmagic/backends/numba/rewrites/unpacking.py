"""Unpacks into names what Numba does not unpack: a starred name, and a comprehension over values that are written out.

```
beta, *_ = np.linalg.lstsq(A, b)           ->  beta = np.linalg.lstsq(A, b)[0]
n, *inner, m = x.shape                     ->  n, inner, m = x.shape[0], x.shape[1:-1], x.shape[-1]
a, b = (np.deg2rad(v) for v in (ra, dec))  ->  a, b = np.deg2rad(ra), np.deg2rad(dec)
position(*row)                             ->  position(*elements(row))
```

A starred name is a list in Python; here it is a tuple, or an array of its own. It is rewritten only where it is used as
all of them can be.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.analysis.words import words
from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter, code, expression
from jitmagic.errors import Unsupported
from jitmagic.generate.walking import Finder, Transformer, nodes_of
from jitmagic.observe.facts import ValueFact

_NUMBERS = frozenset({"int", "float", "bool", "complex", "scalar"})
_READERS = words("len sum min max tuple list sorted enumerate zip reversed any all print")


_WIDEST = 8
"""Numbers in a vector of which a tuple is made."""

_ELEMENTS = """
@njit(error_model="numpy")
def {name}(values):
    if len(values) != {count}:
        raise TypeError("another number of values than the function takes")
    return ({values})
"""


class Unpacking(NumbaRewriter):
    """Rewrites assignments to several names at once."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._uses: list[_Uses] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        uses = _Uses(self)
        node.body.visit(uses)
        self._uses.append(uses)

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self._uses.pop()
        return super().leave_FunctionDef(original_node, updated_node)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        """Writes `tuple(f(v) for v in (a, b))` as `(f(a), f(b))`."""
        func = original_node.func
        if any(a.star == "*" for a in updated_node.args):
            return self._spread(original_node, updated_node)
        if not isinstance(func, cst.Name) or func.value != "tuple" or len(updated_node.args) != 1:
            return updated_node
        if self._is_local("tuple"):
            return updated_node
        values = self._written_out(updated_node.args[0].value)
        return self._row(original_node, updated_node) if values is None else _tuple(values, parentheses=True)

    def _row(self, original: cst.Call, updated: cst.Call) -> cst.Call:
        """Writes `tuple(x)` of a vector of a few numbers as `elements(x)`, which holds to how many there were."""
        fact = self.fact(original.args[0].value)
        count = fact.shape[0] if fact is not None and fact.kind == "array" and fact.ndim == 1 and fact.shape else None
        if count is None or not 0 < count <= _WIDEST or updated.args[0].star or updated.args[0].keyword:
            return updated
        values = ", ".join(f"values[{k}]" for k in range(count))
        source = _ELEMENTS.replace("{count}", str(count)).replace("{values}", values + ("," if count == 1 else ""))
        source = source.replace("than the function takes", "than in the example, of which Numba's tuples have the type")
        return updated.with_changes(func=self.context.helper("elements", source))

    def _spread(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        """Writes `f(*x)` of an array or list as `f(*elements(x))`, a tuple of as many as the function takes."""
        func = original.func
        functions = [self.module.tree, *self.functions[:1]]
        named = [f for node in functions for f in nodes_of(node, cst.FunctionDef) if f.name.value == code(func)]
        fact = self.fact(original.args[-1].value)
        if not isinstance(func, cst.Name) or not named or len({id(f) for f in named}) != 1 or fact is None:
            return updated
        params = named[0].params
        plain = not isinstance(params.star_arg, cst.Param) and all(p.default is None for p in params.params)
        rest = updated.args[:-1]
        count = len(params.params) - len(rest)
        if not plain or updated.args[-1].star != "*" or any(a.star or a.keyword for a in rest) or count < 1:
            return updated
        if not (fact.kind == "array" and fact.ndim == 1) and fact.kind != "list":
            return updated
        values = ", ".join(f"values[{k}]" for k in range(count))
        source = _ELEMENTS.replace("{count}", str(count)).replace("{values}", values + ("," if count == 1 else ""))
        made = cst.Call(self.context.helper("elements", source), [cst.Arg(updated.args[-1].value)])
        return updated.with_changes(args=[*rest, updated.args[-1].with_changes(value=made)])

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        target = updated_node.targets[0].target
        if len(updated_node.targets) != 1 or not isinstance(target, cst.Tuple | cst.List) or not self.functions:
            return updated_node
        starred = [k for k, e in enumerate(target.elements) if isinstance(e, cst.StarredElement)]
        if starred:
            return self._starred(original_node, updated_node, target, starred[0])
        values = self._written_out(updated_node.value)
        if values is None or len(values) != len(target.elements):
            return updated_node
        return updated_node.with_changes(value=_tuple(values))

    # comprehensions over values that are written out

    def _written_out(self, node: cst.BaseExpression) -> list[cst.BaseExpression] | None:
        """Returns the values of `(f(v) for v in (a, b))` or `map(f, (a, b))`, None for anything else."""
        if isinstance(node, cst.GeneratorExp | cst.ListComp):
            loop = node.for_in
            if loop.ifs or loop.inner_for_in is not None or loop.asynchronous is not None:
                return None
            items = _items(loop.iter)
            names = _matched(loop.target, items)
            if items is None or names is None:
                return None
            if not all(map(_is_plain, items)) and not all(map(self._leaves_alone, (node.elt, *items))):
                return None  # the items are evaluated first, all of them
            inner = _Scopes()
            node.elt.visit(inner)
            if inner.found:
                return None
            values = []
            for found in names:
                if sum(map(_weight, found.values())) and any(inner.uses.get(name, 0) > 1 for name in found):
                    return None  # it would be computed twice
                values.append(self._filled(node.elt, found))
            return values
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "map":
            if len(node.args) != 2 or any(a.star or a.keyword for a in node.args) or self._is_local("map"):
                return None
            func, items = node.args[0].value, _items(node.args[1].value)
            if items is None or not isinstance(func, cst.Name | cst.Attribute) or not all(map(_is_plain, items)):
                return None
            return [cst.Call(func, [cst.Arg(self.context.bare(item))]) for item in items]
        return None

    def _is_local(self, name: str) -> bool:
        return bool(self._locals) and name in self._locals[-1]

    def _leaves_alone(self, node: cst.BaseExpression) -> bool:
        """Says whether an expression calls nothing but NumPy's functions, so that it changes no other value."""
        paths = [self.path(call.func) or "" for call in nodes_of(node, cst.Call)]
        return all(p.startswith(("numpy.", "math.")) and not p.startswith("numpy.random") for p in paths)

    def _filled(self, node: cst.BaseExpression, values: dict[str, cst.BaseExpression]) -> cst.BaseExpression:
        new = node.deep_clone()
        self.module.inherit_parts(new, node)
        made = new.visit(_Filled(self.context, values))
        assert isinstance(made, cst.BaseExpression)
        return self.context.bare(made)

    # starred names

    def _starred(
        self, original: cst.Assign, updated: cst.Assign, target: cst.Tuple | cst.List, star: int
    ) -> cst.Assign:
        line = self.module.line(original)
        element = target.elements[star]
        before, after = list(target.elements[:star]), list(target.elements[star + 1 :])
        fact = self.fact(original.value)
        name = element.value
        if not isinstance(name, cst.Name) or any(isinstance(e.value, cst.Tuple | cst.List) for e in (*before, *after)):
            raise self._refused(line, code(name))
        uses = self._uses[-1]
        read = name.value in uses.read
        if read and name.value in uses.otherwise:
            raise Unsupported(
                f"line {line}: `{name.value}` is a list in Python and none in Numba, and line "
                f"{uses.otherwise[name.value]} needs one: take it by a slice, and make the list there",
                line,
                "NB-SYNTAX",
            )
        count = len(before) + len(after)
        if fact is None or fact.kind not in ("tuple", "list", "array") or (fact.kind == "array" and not fact.ndim):
            raise self._refused(line, name.value)
        if count == 0:
            raise self._refused(line, name.value)
        if fact.kind == "tuple" and (not read or _is_plain(updated.value)):
            return self._of_tuple(updated, target, star, name.value, read, fact)
        # what is taken of a tuple Numba has to know when it compiles
        back = "" if fact.kind == "tuple" else "len(x) "
        dash = "- " if back else "-"
        parts = [f"x[{k}]" for k in range(len(before))]
        if read:
            stop = f"{back}{dash}{len(after)}" if after else ""
            # elements are numbers of their own; rows are views, of a list as of an array
            numbers = fact.ndim == 1 if fact.kind == "array" else all(item.kind in _NUMBERS for item in fact.items)
            copied = ".copy()" if numbers and fact.kind != "tuple" else ""
            parts.append(f"x[{len(before) or ''}:{stop}]{copied}")
        parts += [f"x[{back}{dash}{len(after) - k}]" for k in range(len(after))]
        source = (
            '\n@njit(error_model="numpy")\ndef {name}(x):\n'
            f"    # {code(target.with_changes(lpar=[], rpar=[]) if isinstance(target, cst.Tuple) else target)} = x\n"
            f'    if len(x) < {count}:\n        raise ValueError("not enough values to unpack")\n'
            f"    return {', '.join(parts)}\n"
        )
        helper = self.context.helper("unpacked", source)
        call = cst.Call(helper, [cst.Arg(self.context.bare(updated.value))])
        left = [e.value for e in before] + ([name] if read else []) + [e.value for e in after]
        return updated.with_changes(targets=[cst.AssignTarget(_names(left))], value=call)

    def _of_tuple(
        self, updated: cst.Assign, target: cst.Tuple | cst.List, star: int, name: str, read: bool, fact: ValueFact
    ) -> cst.Assign:
        """Unpacks a tuple: how long it is, Numba knows when it compiles."""
        before, after = star, len(target.elements) - star - 1
        value = self.context.operand(updated.value)
        left: list[Any] = [e.value for e in target.elements]
        left[star] = cst.Name(name)
        if read:
            texts = [f"{{v}}[{k}]" for k in range(before)]
            texts.append(f"{{v}}[{before or ''}:{-after or ''}]")
            texts += [f"{{v}}[{k - after}]" for k in range(after)]
            parts = [expression(text, v=self._again(value, k)) for k, text in enumerate(texts)]
            return updated.with_changes(targets=[cst.AssignTarget(_names(left))], value=_tuple(parts))
        del left[star]
        if len(left) == 1:
            one = expression(f"{{v}}[{0 if before else -1}]", v=value)
            return updated.with_changes(targets=[cst.AssignTarget(left[0])], value=one)
        if not before or not after:
            cut = expression(f"{{v}}[:{before}]" if before else f"{{v}}[{-after}:]", v=value)
            return updated.with_changes(targets=[cst.AssignTarget(_names(left))], value=cut)
        unused = "_" if "_" not in self._uses[-1].read else name
        left[star:star] = [cst.Name(unused)] * (len(fact.items) - before - after)
        return updated.with_changes(targets=[cst.AssignTarget(_names(left))])

    def _again(self, node: cst.BaseExpression, number: int) -> cst.BaseExpression:
        if number == 0:
            return node
        new = node.deep_clone()
        self.module.inherit_parts(new, node)
        return new

    def _refused(self, line: int | None, name: str) -> Unsupported:
        return Unsupported(
            f"line {line}: Numba does not unpack into `*{name}`: take the parts by index and slice", line, "NB-SYNTAX"
        )


def _items(node: cst.BaseExpression) -> list[cst.BaseExpression] | None:
    if not isinstance(node, cst.Tuple | cst.List) or not all(isinstance(e, cst.Element) for e in node.elements):
        return None
    return [e.value for e in node.elements]


def _matched(
    target: cst.BaseExpression, items: list[cst.BaseExpression] | None
) -> list[dict[str, cst.BaseExpression]] | None:
    """Returns what each name of a loop's target stands for, item by item."""
    found: list[dict[str, cst.BaseExpression]] = []
    for item in items or ():
        if isinstance(target, cst.Name):
            found.append({target.value: item})
            continue
        parts = _items(item)
        wanted = _items(target)
        if parts is None or wanted is None or len(parts) != len(wanted):
            return None
        one: dict[str, cst.BaseExpression] = {}
        for name, part in zip(wanted, parts, strict=True):
            if not isinstance(name, cst.Name):
                return None
            one[name.value] = part
        found.append(one)
    return found or None


def _is_plain(node: cst.BaseExpression) -> bool:
    """Says whether an expression costs nothing to write twice and changes nothing."""
    if isinstance(node, cst.Attribute):
        return _is_plain(node.value)
    if isinstance(node, cst.UnaryOperation):
        return _is_plain(node.expression)
    return isinstance(node, cst.Name | cst.Integer | cst.Float | cst.SimpleString)


def _weight(node: cst.BaseExpression) -> int:
    return 0 if _is_plain(node) else 1


def _tuple(values: list[cst.BaseExpression], parentheses: bool = False) -> cst.Tuple:
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    elements = [cst.Element(value, comma=comma) for value in values[:-1]]
    elements.append(cst.Element(values[-1], comma=cst.Comma()) if len(values) == 1 else cst.Element(values[-1]))
    around: dict[str, Any] = {"lpar": [], "rpar": []}
    if parentheses:
        around = {"lpar": [cst.LeftParen()], "rpar": [cst.RightParen()]}
    return cst.Tuple(elements, **around)


def _names(values: list[cst.BaseExpression]) -> Any:
    return values[0] if len(values) == 1 else _tuple(values)


class _Filled(Transformer):
    def __init__(self, context: Context, values: dict[str, cst.BaseExpression]) -> None:
        super().__init__()
        self.context, self.values = context, values

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        # the value of a bare argument needs no parentheses
        return updated_node.with_changes(keyword=original_node.keyword, value=self.context.bare(updated_node.value))

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        value = self.values.get(original_node.value)
        return updated_node if value is None else self.context.operand(value)


class _Scopes(Finder):
    """Counts names, and finds functions and comprehensions, whose names are their own."""

    def __init__(self) -> None:
        super().__init__()
        self.found = False
        self.uses: dict[str, int] = {}

    def visit_Lambda(self, node: cst.Lambda) -> None:
        self.found = True

    def visit_CompFor(self, node: cst.CompFor) -> None:
        self.found = True

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self.found = True

    def visit_Name(self, node: cst.Name) -> None:
        self.uses[node.value] = self.uses.get(node.value, 0) + 1


class _Uses(Finder):
    """Which names a function reads, and at which line as nothing but a list can be read."""

    def __init__(self, rewriter: Unpacking) -> None:
        super().__init__()
        self.rewriter = rewriter
        self.read: set[str] = set()
        self.otherwise: dict[str, int | None] = {}
        self._fine: set[cst.CSTNode] = set()
        self._stores: set[cst.CSTNode] = set()
        self._statement: cst.CSTNode | None = None

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> None:
        self._statement = node

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._store(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        if isinstance(node.target, cst.Subscript):
            self._fine.discard(node.target.value)
            self._stores.add(node.target)

    def visit_For(self, node: cst.For) -> None:
        self._store(node.target)
        self._fine.add(node.iter)

    def visit_CompFor(self, node: cst.CompFor) -> None:
        self._store(node.target)
        self._fine.add(node.iter)

    def _store(self, target: cst.BaseExpression) -> None:
        if isinstance(target, cst.Tuple | cst.List):
            for element in target.elements:
                self._store(element.value)
        else:
            self._stores.add(target)

    def visit_Subscript(self, node: cst.Subscript) -> None:
        if node not in self._stores:
            self._fine.add(node.value)

    def visit_ComparisonTarget(self, node: cst.ComparisonTarget) -> None:
        if isinstance(node.operator, cst.In | cst.NotIn):
            self._fine.add(node.comparator)

    def visit_StarredElement(self, node: cst.StarredElement) -> None:
        self._fine.add(node.value)

    def visit_Call(self, node: cst.Call) -> None:
        path = self.rewriter.path(node.func)
        builtin = isinstance(node.func, cst.Name) and node.func.value in _READERS
        numpy = path is not None and path.startswith(("numpy.", "math.")) and "random" not in path
        for argument in node.args:
            if builtin or numpy or argument.star:
                self._fine.add(argument.value)

    def visit_Attribute(self, node: cst.Attribute) -> None:
        self._stores.add(node.attr)

    def visit_Arg(self, node: cst.Arg) -> None:
        if node.keyword is not None:
            self._stores.add(node.keyword)

    def visit_Name(self, node: cst.Name) -> None:
        if node in self._stores:
            return
        self.read.add(node.value)
        if node not in self._fine:
            line = self.rewriter.module.line(node)
            self.otherwise.setdefault(node.value, line)
