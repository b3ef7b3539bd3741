"""Rewrite comprehensions that are counted as the loops that they are: tracing would write them out, step by step.

    y = np.array([f(x[i]) for i in range(n)])    ->    y = np.zeros(n, dtype=np.float64)
                                                       for i in range(n):
                                                           y[i] = f(x[i])

    s = sum(v*v for v in x if v > t)             ->    elements = np.zeros(len(x), dtype=np.float64)
                                                       for k, v in enumerate(x):
                                                           if v > t:
                                                               elements[k] = v*v
                                                       s = np.sum(elements)

Where the elements are arrays their shape is not known here, and they become rows by ``jax.vmap``. What is no number and
no array, what may draw or change something, and a few steps whose count is written out stay as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.backends.jax.sums import difference, written
from jitmagic.backends.jax.tracing import UNROLL, literal_trips, loop_line
from jitmagic.generate import names as name_tools
from jitmagic.generate.block_rewriter import BlockRewriter
from jitmagic.generate.blocks import code, each_function, leading, made, small, with_body
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.renaming import Renamed
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import CertainFinder, nodes_of
from jitmagic.observe.facts import ValueFact

Comprehension = cst.ListComp | cst.GeneratorExp

_OF_NUMBERS = frozenset(
    f"numpy.{name}"
    for name in ("sum", "mean", "max", "min", "amax", "amin", "prod", "std", "var", "median", "cumsum", "argmax",
                 "argmin", "any", "all", "sort", "argsort", "diff")
)  # fmt: skip
_MAKING = frozenset(("numpy.array", "numpy.asarray"))
_ROWS = _MAKING | {"numpy.stack", "numpy.vstack", "numpy.row_stack"}
_REDUCTIONS = frozenset(("sum", "max", "min", "any", "all"))
_PLAIN = frozenset(
    ("abs", "min", "max", "sum", "int", "float", "bool", "complex", "len", "round", "pow", "range", "enumerate", "zip",
     "any", "all", "divmod", "reversed")
)  # fmt: skip
_FIRST = {
    "sum": ("total", "0.0", "{} + {}"),
    "max": ("largest", "-__numpy__.inf", "max({}, {})"),
    "min": ("smallest", "__numpy__.inf", "min({}, {})"),
}
"""Of what goes along: its name, its first value and its next one. Of no elements NumPy has no extreme."""
_WIDEST = 2**62
"""Whole numbers beyond this were seen: an array's would overflow where Python's do not."""
_SUMMED = frozenset(("bool_", "int64", "float32", "float64", "complex64", "complex128"))
"""Dtypes that Python's sum gives as NumPy's does; of shorter whole numbers NumPy makes longer ones."""
_DTYPES = {"bool": "bool_", "int": "int64", "float": "float64", "complex": "complex128"}


@dataclass(frozen=True)
class Counted:
    """How a comprehension is counted.

    Attributes
    ----------
    length : str
        How many elements it has.
    index : str
        The element's place, in terms of the loop's targets.
    target, iterated : libcst.BaseExpression
        The loop's.
    binds : tuple of str
        Statements at the beginning of its body.
    """

    length: str
    index: str
    target: cst.BaseAssignTargetExpression
    iterated: cst.BaseExpression
    binds: tuple[str, ...] = ()


def counted_comprehensions(
    module: Module, tree: cst.Module, kinds: Mapping[str, Kinds], kept: Collection[int]
) -> cst.Module:
    """Returns the tree with comprehensions that a function of arrays takes in as loops.

    Parameters
    ----------
    module : Module
    tree : libcst.Module
    kinds : mapping of str to Kinds
    kept : collection of int
        Lines (of the module's text) on which they stay as they are.
    """
    taken = set(name_tools.all_names(tree))
    functions = frozenset(s.name.value for s in tree.body if isinstance(s, cst.FunctionDef))
    return each_function(
        tree, kinds, lambda function, known: _Function(module, function, known, functions, taken, kept).result()
    )


def counted(inside: cst.CompFor, kinds: Kinds, index: str) -> Counted | None:
    """Returns how a comprehension's loop is counted, None where that is not known; ``index`` is a free name."""
    length = _length(inside.iter, kinds)
    if inside.inner_for_in is not None or inside.asynchronous is not None or length is None:
        return None
    iterated, target = inside.iter, inside.target
    if isinstance(iterated, cst.Call) and isinstance(target, cst.Name) and code(iterated.func) == "range":
        first = "0" if len(iterated.args) == 1 else code(iterated.args[0].value)
        return Counted(length, written(difference(target.value, first)), target, iterated)
    if code(getattr(iterated, "func", iterated)) == "enumerate" and isinstance(target, cst.Tuple):
        counter = target.elements[0].value
        if isinstance(counter, cst.Name) and len(iterated.args) == 1:  # type: ignore[attr-defined]
            index = counter.value
    binds = _binds(iterated, target, index)
    if binds is None:
        return None
    over = cst.parse_expression(f"range({length})")
    return Counted(length, index, cst.Name(index), over, tuple(b for b in binds if b))


def _binds(node: Any, target: Any, index: str) -> list[str] | None:
    """Returns statements that give targets the elements number ``index`` of what is iterated; None where unknown."""
    given = [a.value for a in node.args] if isinstance(node, cst.Call) else []
    called = code(node.func) if given else ""
    parts = [e.value for e in target.elements] if isinstance(target, cst.Tuple) else []
    if called == "zip":
        found = [_binds(a, b, index) for a, b in zip(given, parts, strict=False)]
        return None if len(parts) != len(given) or None in found else [b for one in found for b in one or ()]
    if called == "enumerate":
        rest = _binds(given[0], parts[1], index) if len(parts) == 2 else None
        count = index if len(given) == 1 else written(difference(index, f"-({code(given[1])})"))
        same = len(given) == 1 and parts and code(parts[0]) == index
        return None if rest is None else [*([] if same else [f"{code(parts[0])} = {count}"]), *rest]
    if called == "range":
        first = "0" if len(given) == 1 else code(given[0])
        return [f"{code(target)} = {written(difference(index, f'-({first})'))}"]
    shown = code(target.with_changes(lpar=[], rpar=[])) if parts else code(target)
    return [f"{shown} = {code(node)}[{index}]"]


def _length(node: Any, kinds: Kinds) -> str | None:
    """Returns how many elements ranges, arrays, and both zipped or enumerated have."""
    named = isinstance(node, cst.Call) and isinstance(node.func, cst.Name)
    if named and not any(a.star or a.keyword for a in node.args):
        given = [a.value for a in node.args]
        name = node.func.value
        if name == "range" and len(given) in (1, 2):
            return written(difference(code(given[-1]), code(given[0]) if len(given) == 2 else "0"))
        if name == "enumerate" and given:
            return _length(given[0], kinds)
        if name == "zip" and given:
            lengths = [_length(one, kinds) for one in given]
            unique = list(dict.fromkeys(one for one in lengths if one is not None))
            if None in lengths:
                return None
            return unique[0] if len(unique) == 1 else f"min({', '.join(unique)})"
    fact = kinds.of(node)
    if fact is not None and fact.kind == "list" and isinstance(node, cst.Name):
        # a list of the function's own, which may become an array as well
        numbers = fact.items and all(number_dtype(item) for item in fact.items)
        own = node.value not in name_tools.parameters(kinds.function)
        return f"len({node.value})" if numbers and own else None
    plain = isinstance(node, cst.Name) or (isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name))
    return f"len({code(node)})" if plain and fact is not None and fact.kind == "array" and fact.ndim else None


def number_dtype(fact: ValueFact | None) -> str | None:
    """Returns the dtype of an array of such numbers, None for anything else."""
    if fact is None or any(n is not None and abs(n) > _WIDEST for n in (fact.low, fact.high)):
        return None
    if fact.kind == "mixed":
        # Python's numbers and NumPy's of one dtype
        dtypes = {number_dtype(one) for one in fact.items}
        return dtypes.pop() if len(dtypes) == 1 else None
    if fact.kind == "scalar":
        return {"bool": "bool_"}.get(fact.dtype or "", fact.dtype)
    return _DTYPES.get(fact.kind)


def loop_of(module: Module, comprehension: Comprehension, how: Counted, body: Sequence[Any], like: Any) -> cst.For:
    """Makes the loop of a comprehension with some statements for each element."""
    loop: cst.For = made("for _ in _:\n    pass\n", like)
    body = [*(made(text, like) for text in how.binds), *body]
    loop = with_body(loop.with_changes(target=how.target, iter=how.iterated), body)
    module.inherit(loop, comprehension)
    return loop


def stored(module: Module, target: str, value: cst.BaseExpression, like: Any, fact: ValueFact | None) -> Any:
    """Makes ``target = value``, the value with its place; ``fact`` is what is known of the array stored into."""
    line = made(f"{target} = 0", like)
    one = line.body[0].with_changes(value=value)
    place: Any = one.targets[0].target
    if fact is not None and isinstance(place, cst.Subscript):
        module.learn(place.value, fact)
    module.inherit(one, value)
    new = line.with_changes(body=[one])
    module.inherit(new, like)
    return new


def array_made(module: Module, name: str, length: str, dtype: str, like: Any) -> Any:
    """Makes ``name = np.zeros(length, dtype=…)``, and notes what it is."""
    line = made(f"{name} = __numpy__.zeros({length}, dtype=__numpy__.{dtype})", like)
    fact = ValueFact("array", dtype.rstrip("_"), (None,) * (length.count(",") + 1 if length.startswith("(") else 1))
    module.learn(line.body[0].value, fact)
    module.learn(line.body[0].targets[0].target, fact)
    module.inherit(line, like)
    return line


class ComprehensionRewriter(BlockRewriter):
    """What rewrites of comprehensions as loops have in common.

    Parameters
    ----------
    module : Module
    function : libcst.FunctionDef
    kinds : Kinds
    functions : frozenset of str
        The module's own functions.
    taken : set of str
        Names in use; those that are made are added.
    kept : collection of int
        Lines on which comprehensions stay as they are.
    """

    def __init__(
        self, module: Module, function: cst.FunctionDef, kinds: Kinds, functions: frozenset[str], taken: set[str],
        kept: Collection[int],
    ) -> None:  # fmt: skip
        super().__init__(module, function)
        self.kinds, self.functions, self.taken, self.kept = kinds, functions, taken, kept

    def fresh(self, wanted: str) -> str:
        name = name_tools.fresh(wanted, self.taken)
        self.taken.add(name)
        return name

    def renamed(self, comprehension: Any, node: Any) -> Any:
        """Returns a comprehension whose targets go by names of their own, where others use them in the function."""
        targets = [t for one in nodes_of(comprehension.for_in, cst.CompFor) for t in name_tools.targets(one.target)]
        inner = _counts(comprehension)
        outside = _counts(self.function)
        names = {t: self.fresh(t) for t in targets if outside.get(t, 0) > inner.get(t, 0)}
        return comprehension.visit(Renamed(self.module, names)) if names else comprehension

    def may_be_a_loop(self, comprehension: Comprehension) -> bool:
        """Says whether a comprehension is to become a loop, and may be evaluated at a place of its own."""
        return loop_line(self.module, comprehension) not in self.kept and self.is_plain(comprehension)

    def is_plain(self, node: cst.CSTNode) -> bool:
        """Says whether a comprehension may be evaluated at another place: it draws and changes nothing."""
        kinds: tuple[Any, ...] = (cst.NamedExpr, cst.Lambda)
        if any(nodes_of(node, kind) for kind in kinds):
            return False
        return all(self.is_plain_call(call) for call in nodes_of(node, cst.Call))

    def is_plain_call(self, call: cst.Call) -> bool:
        path = self.kinds.path(call.func)
        if path is not None:
            plain = path.startswith(("numpy.", "math.", "scipy.", "cmath.")) or path == "itertools.combinations"
            return plain and not path.startswith("numpy.random")
        if isinstance(call.func, cst.Name):
            return call.func.value in self.functions or (
                call.func.value in _PLAIN and call.func.value not in self.kinds.local
            )
        fact = self.kinds.of(call.func.value) if isinstance(call.func, cst.Attribute) else None
        return fact is not None and fact.kind in ("array", "scalar", "float", "int", "complex")


class _Function(ComprehensionRewriter):
    def statement(self, node: Any, before: Sequence[Any]) -> list[Any]:
        one = small(node)
        whole: Any
        if isinstance(node, cst.If):
            whole, part = node, node.test
        elif isinstance(one, cst.Assign | cst.AugAssign | cst.Return | cst.Expr) and one.value is not None:
            whole, part = one, one.value
        else:
            return super().statement(node, before)
        finder = _Places(self)
        part.visit(finder)
        lines: list[Any] = []
        new: dict[cst.CSTNode, cst.BaseExpression] = {}
        for call, comprehension in finder.found:
            into = ""
            if part is call and isinstance(one, cst.Assign) and len(one.targets) == 1:
                into = one.targets[0].target.value if isinstance(one.targets[0].target, cst.Name) else ""
                into = "" if into in name_tools.loads(call) or finder.kind(call) not in _MAKING else into
            made_of = self.lowered(node, call, comprehension, finder.kind(call), into)
            if made_of is None:
                continue
            lines += made_of[0]
            new[call] = made_of[1]
            if into and isinstance(made_of[1], cst.Name) and made_of[1].value == into:
                return [leading(lines[0], node), *lines[1:]]
        if not new:
            return super().statement(node, before)
        value = part.visit(_Replaced(self.module, new)) if part not in new else new[part]
        if isinstance(node, cst.If):
            changed = node.with_changes(test=value)
        else:
            changed = node.with_changes(body=[whole.with_changes(value=value)])
            self.module.inherit(changed.body[0], whole)
        self.module.inherit(changed, node)
        result = [*lines, *super().statement(changed.with_changes(leading_lines=()), before)]
        return [leading(result[0], node), *result[1:]]

    def lowered(
        self, node: Any, call: cst.Call, comprehension: Comprehension, kind: str, into: str
    ) -> tuple[list[Any], cst.BaseExpression] | None:
        """Returns the statements that make an array of a comprehension, and what takes the call's place."""
        if not self.may_be_a_loop(comprehension):
            return None
        comprehension = self.paired(comprehension)
        inside = comprehension.for_in
        inner: Any = comprehension.elt
        if inside.inner_for_in is not None or (inside.ifs and kind in ("max", "min")):
            return self.accumulated(node, call, comprehension, kind)
        if inside.ifs and kind != "sum":
            return None
        if isinstance(inner, cst.ListComp):
            return self.table(node, call, comprehension, kind, into)
        fact = self.kinds.of(inner)
        dtype = number_dtype(fact)
        if dtype is None:
            return self.rows(node, call, comprehension, kind, into)
        if kind in ("numpy.stack", "numpy.vstack", "numpy.row_stack") or (kind == "sum" and dtype not in _SUMMED):
            return None
        renamed = self.renamed(comprehension, node)
        how = counted(renamed.for_in, self.kinds, self.fresh("k"))
        if how is None:
            return None
        name = into if into and len(call.args) == 1 else self.fresh("elements")
        first = array_made(self.module, name, how.length, dtype, node)
        held = ValueFact("array", dtype.rstrip("_"), (None,))
        body = [stored(self.module, f"{name}[{how.index}]", renamed.elt, node, held)]
        for condition in reversed(renamed.for_in.ifs):
            branch = made("if 0:\n    pass\n", node).with_changes(test=condition.test)
            branch = with_body(branch, body)
            self.module.inherit(branch, node)
            body = [branch]
        loop = loop_of(self.module, comprehension, how, self.block(body), node)
        return [first, loop], self.result_of(call, kind, name, held)

    def paired(self, comprehension: Comprehension) -> Comprehension:
        """Returns a comprehension over ``combinations(range(n), 2)`` as one over two ranges."""
        inside = comprehension.for_in
        call, target = inside.iter, inside.target
        if not isinstance(call, cst.Call) or self.kinds.path(call.func) != "itertools.combinations":
            return comprehension
        given = [code(a.value) for a in call.args]
        first: Any = call.args[0].value
        ranged = isinstance(first, cst.Call) and code(first.func) == "range" and len(first.args) == 1
        if len(given) != 2 or given[1] != "2" or not ranged or not isinstance(target, cst.Tuple):
            return comprehension
        names: list[Any] = [e.value for e in target.elements]
        if len(names) != 2 or not all(isinstance(name, cst.Name) for name in names):
            return comprehension
        behind = cst.parse_expression(f"range({names[0].value} + 1, {code(first.args[0].value)})")
        inner = cst.CompFor(names[1], behind, ifs=inside.ifs, inner_for_in=inside.inner_for_in)
        outer = cst.CompFor(names[0], first, inner_for_in=inner)
        new = comprehension.with_changes(for_in=outer)
        self.module.inherit(new, comprehension)
        return new

    def accumulated(
        self, node: Any, call: cst.Call, comprehension: Comprehension, kind: str
    ) -> tuple[list[Any], cst.BaseExpression] | None:
        """Does so for sums and extremes over loops in loops, or under conditions, by a number that goes along."""
        first = _FIRST.get(kind.removeprefix("numpy."))
        dtype = number_dtype(self.kinds.of(comprehension.elt))
        if first is None or len(call.args) != 1 or not (dtype == "float64" or (dtype == "int64" and "sum" in kind)):
            return None
        levels: list[cst.CompFor] = []
        inside: cst.CompFor | None = comprehension.for_in
        while inside is not None:
            levels.append(inside)
            inside = inside.inner_for_in
        plain = all(one.asynchronous is None and _length(one.iter, self.kinds) is not None for one in levels)
        renamed = self.renamed(comprehension, node)
        if not plain:
            return None
        word, begin, step = first
        begin = "0" if dtype == "int64" else begin
        name = self.fresh(word)
        lines = made(f"{name} = {begin}", node)
        fact = ValueFact("int" if dtype == "int64" else "float")
        self.module.learn(lines.body[0].targets[0].target, fact)
        self.module.learn(lines.body[0].value, fact)
        self.module.inherit(lines, node)
        element = self.fresh("element")
        value = stored(self.module, element, renamed.elt, node, None)
        update = made(f"{name} = {step.format(name, element)}", node)
        self.module.inherit(update, node)
        body = [*self.block([value]), update]
        at: Any = renamed.for_in
        nested: list[Any] = []
        while at is not None:
            nested.append(at)
            at = at.inner_for_in
        for one in reversed(nested):
            for condition in reversed(one.ifs):
                branch = made("if 0:\n    pass\n", node).with_changes(test=condition.test)
                branch = with_body(branch, body)
                self.module.inherit(branch, node)
                body = [branch]
            how = counted(one.with_changes(inner_for_in=None), self.kinds, self.fresh("k"))
            if how is None:
                return None
            body = [loop_of(self.module, comprehension, how, body, node)]
        new = cst.Name(name)
        self.module.learn(new, ValueFact("scalar", dtype, ()))
        return [lines, *body], new

    def table(
        self, node: Any, call: cst.Call, comprehension: Comprehension, kind: str, into: str
    ) -> tuple[list[Any], cst.BaseExpression] | None:
        """Does so for a comprehension of comprehensions of numbers."""
        outer = self.renamed(comprehension, node)
        if not isinstance(outer.elt, cst.ListComp) or kind not in _MAKING | _OF_NUMBERS or outer.elt.for_in.ifs:
            return None
        inner = self.renamed(outer.elt, node)
        dtype = number_dtype(self.kinds.of(comprehension.elt.elt))  # type: ignore[attr-defined]
        across = counted(outer.for_in, self.kinds, self.fresh("k"))
        along = counted(inner.for_in, self.kinds, self.fresh("m"))
        if dtype is None or across is None or along is None:
            return None
        if name_tools.loads(cst.parse_expression(along.length)) & {*name_tools.targets(across.target)}:
            return None  # rows of different lengths
        name = into if into and len(call.args) == 1 else self.fresh("elements")
        held = ValueFact("array", dtype.rstrip("_"), (None, None))
        first = array_made(self.module, name, f"({across.length}, {along.length})", dtype, node)
        store = stored(self.module, f"{name}[{across.index}, {along.index}]", inner.elt, node, held)
        inner_loop = loop_of(self.module, comprehension.elt, along, self.block([store]), node)  # type: ignore[arg-type]
        loop = loop_of(self.module, comprehension, across, [inner_loop], node)
        return [first, loop], self.result_of(call, kind, name, held)

    def rows(
        self, node: Any, call: cst.Call, comprehension: Comprehension, kind: str, into: str
    ) -> tuple[list[Any], cst.BaseExpression] | None:
        """Does so for elements that are arrays: each is the row that a function gives, mapped over what is counted."""
        fact = self.kinds.of(comprehension.elt)
        if fact is None or fact.kind != "array" or not fact.ndim or kind not in _ROWS | {"sum"}:
            return None
        if (kind == "numpy.vstack" and fact.ndim != 1) or (comprehension.for_in.ifs):
            return None
        renamed = self.renamed(comprehension, node)
        mapped = self.mapped(renamed.for_in)
        if mapped is None:
            return None
        over, parameters, binds = mapped
        function = self.fresh("row")
        definition = made(f"def {function}({', '.join(parameters)}):\n    pass\n", node)
        body = [made(text, node) for text in binds]
        returned = made("return 0", node)
        returned = returned.with_changes(body=[returned.body[0].with_changes(value=renamed.elt)])
        self.module.inherit(returned, node)
        definition = with_body(definition, [*body, *self.block([returned])])
        self.module.inherit(definition, node)
        name = into if into and len(call.args) == 1 else self.fresh("rows")
        line = made(f"{name} = __jax__.vmap({function})({', '.join(over)})", node)
        held = ValueFact("array", fact.dtype, (None, *(fact.shape or ())))
        self.module.learn(line.body[0].value, held)
        self.module.learn(line.body[0].targets[0].target, held)
        self.module.inherit(line, node)
        return [definition, line], self.result_of(call, kind, name, held)

    def mapped(self, inside: cst.CompFor) -> tuple[list[str], list[str], list[str]] | None:
        """Returns what a function is mapped over, its parameters, and statements that take them apart."""
        if inside.inner_for_in is not None or _length(inside.iter, self.kinds) is None:
            return None
        over: list[str] = []
        parameters: list[str] = []
        binds: list[str] = []

        def add(iterated: Any, target: Any) -> bool:
            given = [a.value for a in iterated.args] if isinstance(iterated, cst.Call) else []
            called = code(iterated.func) if given else ""
            parts = [e.value for e in target.elements] if isinstance(target, cst.Tuple) else []
            if called == "zip":
                return len(parts) == len(given) and all(add(a, b) for a, b in zip(given, parts, strict=True))
            if called == "enumerate":
                if len(given) != 1 or len(parts) != 2:
                    return False
                over.append(f"__numpy__.arange({_length(given[0], self.kinds)})")
                parameters.append(code(parts[0]))
                return add(given[0], parts[1])
            over.append(f"__numpy__.arange({', '.join(map(code, given))})" if called == "range" else code(iterated))
            if parts:
                parameters.append(self.fresh("given"))
                binds.append(f"{', '.join(map(code, parts))} = {parameters[-1]}")
            else:
                parameters.append(code(target))
            return True

        return (over, parameters, binds) if add(inside.iter, inside.target) else None

    def result_of(self, call: cst.Call, kind: str, name: str, held: ValueFact) -> cst.BaseExpression:
        new: Any = cst.Name(name)
        self.module.learn(new, held)
        if kind in _ROWS and len(call.args) == 1:
            return cst.ensure_type(new, cst.Name)
        if kind in _REDUCTIONS:
            along = ", axis=0" if kind == "sum" and (held.ndim or 0) > 1 else ""
            text = cst.parse_expression(f"__numpy__.{kind}({name}{along})")
            assert isinstance(text, cst.Call)
            self.module.learn(text.args[0].value, held)
            self.module.inherit(text, call)
            return text
        result = call.with_changes(args=[call.args[0].with_changes(value=new), *call.args[1:]])
        self.module.inherit(result, call)
        return result


def _counts(node: cst.CSTNode) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in nodes_of(node, cst.Name):
        found[one.value] = found.get(one.value, 0) + 1
    return found


class _Places(CertainFinder):
    """Finds the calls that are sure to be evaluated, once, and take in a comprehension."""

    def __init__(self, function: _Function) -> None:
        super().__init__()
        self.function = function
        self.found: list[tuple[cst.Call, Comprehension]] = []

    def kind(self, call: cst.Call) -> str:
        path = self.function.kinds.path(call.func)
        if path is not None:
            return path
        return code(call.func) if code(call.func) not in self.function.kinds.local else ""

    def visit_Call(self, node: cst.Call) -> bool:
        kind = self.kind(node)
        first: Any = node.args[0].value if node.args else None
        if node.args and (node.args[0].star or node.args[0].keyword is not None):
            return True
        if isinstance(first, cst.Call) and code(first.func) == "list" and len(first.args) == 1:
            first = first.args[0].value
        listed = isinstance(first, cst.ListComp) and kind in _OF_NUMBERS | _ROWS
        reduced = isinstance(first, cst.ListComp | cst.GeneratorExp) and kind in _REDUCTIONS and len(node.args) == 1
        if not listed and not reduced:
            return True
        if not is_written_out(first):
            self.found.append((node, first))
        return False


def is_written_out(node: Comprehension) -> bool:
    """Says whether a comprehension has a few elements whose count stands in the source."""
    iterated = node.for_in.iter
    loop = cst.For(target=cst.Name("_"), iter=iterated, body=cst.IndentedBlock([]))
    trips = literal_trips(loop)
    return trips is not None and trips <= UNROLL


class _Replaced(Rewriter):
    def __init__(self, module: Module, new: Mapping[cst.CSTNode, cst.BaseExpression]) -> None:
        super().__init__(module)
        self.new = new

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        return self.new.get(original_node, updated_node)
