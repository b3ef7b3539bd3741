"""Copies a right side that may overlap its target: `a[1:] += a[:-1]` becomes `a[1:] += a[:-1].copy()`.

NumPy buffers such a store; Numba reads what it has just written (NB-OVERLAP, numba#230). A right side that is an
arithmetic expression makes a new array by itself and needs nothing.
"""

from __future__ import annotations

import ast

import libcst as cst

from jitmagic.analysis.aliases import Aliases
from jitmagic.analysis.names import Names
from jitmagic.analysis.tree import SourceTree, base_name
from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter, code
from jitmagic.backends.numba.unseen import Numbers
from jitmagic.generate.blocks import in_one_line
from jitmagic.generate.walking import Transformer
from jitmagic.observe.facts import ValueFact


class Overlap(NumbaRewriter):
    """Puts `.copy()` behind views on the right side that may share memory with the target.

    Parameters
    ----------
    context : Context
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        observed = context.module.observed
        self._tree = SourceTree(context.module.source.text, context.module.functions()[-1].name.value)
        self._aliases = Aliases(
            self._tree,
            Names(self._tree, context.module.names),
            self._seen,
            observed.overlapping if observed is not None else (),
            context.module.parts,
        )
        self._outermost: cst.FunctionDef
        self._known: Numbers | None = None

    def _seen(self, node: ast.AST) -> ValueFact | None:
        observed = self.module.observed
        if observed is None or node not in self._tree.parents:  # an expression of ours stands at no place of the user's
            return None
        return observed.expressions.get(self._tree.span(node))

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.BaseSmallStatement:
        targets = [t.target for t in original_node.targets]
        if self.functions and any(isinstance(t, cst.Subscript) for t in targets):
            for target in targets:
                if isinstance(target, cst.Subscript) and self._overlaps(target, original_node.value):
                    return updated_node.with_changes(value=self._copied(updated_node.value))
                if isinstance(target, cst.Subscript) and self.context.parallel:
                    updated_node = updated_node.with_changes(value=self._apart(target, updated_node.value))
        return updated_node

    def leave_AugAssign(self, original_node: cst.AugAssign, updated_node: cst.AugAssign) -> cst.BaseSmallStatement:
        target = original_node.target
        place = isinstance(target, cst.Subscript) or (
            isinstance(target, cst.Name) and self.is_array(original_node.value)
        )
        if self.functions and place and self._overlaps(target, original_node.value):
            return updated_node.with_changes(value=self._copied(updated_node.value))
        if self.functions and place and self.context.parallel:
            return updated_node.with_changes(value=self._apart(target, updated_node.value))
        return updated_node

    def _copied(self, node: cst.BaseExpression) -> cst.BaseExpression:
        return cst.Call(cst.Attribute(self.context.operand(node), cst.Name("copy")), [])

    def _apart(self, target: cst.BaseExpression, value: cst.BaseExpression) -> cst.BaseExpression:
        """Copies the views of the target's memory that an expression reads at other places.

        `parallel=True` fuses `a[1:] += 2 * a[:-1]` into one loop, that reads what another thread has written.
        """
        if not isinstance(value, cst.BinaryOperation | cst.UnaryOperation | cst.Call | cst.Comparison):
            return value
        base = base_name(ast.parse(_bare(target), mode="eval").body)
        if base is None:
            return value
        made = value.visit(_Apart(self, base, code(target)))
        assert isinstance(made, cst.BaseExpression)
        return made

    def reads_elsewhere(self, node: cst.BaseExpression, base: str, target: str) -> bool:
        """Says whether an expression is a view of what a store to `base` may write, in another order or place."""
        fact = self.fact(node)
        if fact is None or fact.kind != "array" or code(node) == target:
            return False
        names = self._aliases.names_in(ast.parse(_bare(node), mode="eval").body)
        return self.may_share(self._aliases, base, names)

    def _overlaps(self, target: cst.BaseExpression, value: cst.BaseExpression) -> bool:
        if isinstance(value, cst.Tuple | cst.List):
            return False
        if (isinstance(target, cst.Subscript) and self._numbers.is_element(target)) or self._numbers.is_number(value):
            return False  # an element: its value is a number, whatever names that came through
        fact = self.fact(value)
        if fact is not None and fact.kinds and "array" not in fact.kinds:
            return False
        left, right = ast.parse(_bare(target), mode="eval").body, ast.parse(_bare(value), mode="eval").body
        if not isinstance(right, ast.Name | ast.Subscript | ast.Attribute | ast.Call | ast.IfExp):
            return False
        base = base_name(left)
        if base is None:
            return True
        if not self.may_share(self._aliases, base, self._aliases.names_in(right)):
            return False
        if ast.dump(left).replace("Store()", "Load()") == ast.dump(right):
            return False
        return not (base == base_name(right) and _disjoint(left, right))

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        if len(self.functions) == 1:
            self._outermost, self._known = node, None

    @property
    def _numbers(self) -> Numbers:
        """What is a number in the outermost function: made where it is asked for."""
        self._known = self._known or Numbers(self.module, self._outermost)
        return self._known


class _Apart(Transformer):
    def __init__(self, overlap: Overlap, base: str, target: str) -> None:
        super().__init__()
        self.overlap, self.base, self.target = overlap, base, target

    def visit_Subscript(self, node: cst.Subscript) -> bool:
        return False

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        return self._copied(original_node, updated_node)

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        return False

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        if original_node.attr.value in ("real", "imag"):
            return updated_node  # each at the place that is written
        return self._copied(original_node, updated_node)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        return self._copied(original_node, updated_node)

    def _copied(self, original: cst.BaseExpression, updated: cst.BaseExpression) -> cst.BaseExpression:
        if not self.overlap.reads_elsewhere(original, self.base, self.target):
            return updated
        return cst.Call(cst.Attribute(updated, cst.Name("copy")), [])


def _bare(node: cst.BaseExpression) -> str:
    return in_one_line(node) if "#" not in code(node) else code(node.with_changes(lpar=[], rpar=[]))


def _disjoint(left: ast.expr, right: ast.expr) -> bool:
    """Says whether two subscripts of one name differ in an axis by constants: `a[0]` and `a[1]`."""
    if not (isinstance(left, ast.Subscript) and isinstance(right, ast.Subscript)):
        return False
    if not (isinstance(left.value, ast.Name) and isinstance(right.value, ast.Name)):
        return False
    axes = [s.slice.elts if isinstance(s.slice, ast.Tuple) else [s.slice] for s in (left, right)]
    for one, two in zip(*axes, strict=False):
        values = [n.value for n in (one, two) if isinstance(n, ast.Constant) and type(n.value) is int]
        if len(values) == 2 and values[0] != values[1] and min(values) >= 0:
            return True
        if not all(type(n) in (ast.Slice, ast.Constant) for n in (one, two)):
            return False
    return False
