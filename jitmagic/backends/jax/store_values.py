"""The value of a store in functional form: its cast, its mask, and the names that share the array's memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from jitmagic.backends.jax.masks import aligned, unmasked
from jitmagic.backends.jax.promotion import is_integer, of_operands
from jitmagic.backends.jax.store_targets import (
    Stores,
    index_text,
)
from jitmagic.generate import names as name_tools
from jitmagic.generate.aliases import Aliases, Link
from jitmagic.generate.blocks import code
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.liveness import Liveness
from jitmagic.generate.module import Module


@dataclass
class Update:
    """One store in functional form: the name, the text of its new value, and the expression that is stored."""

    name: str
    value: str
    before: list[str] = field(default_factory=list)
    comment: str | None = None
    source: Any = None
    target: Any = None


class Values(Stores):
    """Knows how a stored value is written, and who must be told of it."""

    def __init__(
        self,
        module: Module,
        function: cst.FunctionDef,
        kinds: Kinds,
        mutating: Mapping[str, tuple[str, ...]],
        links: Aliases,
        live: Liveness,
        kept: set[str],
        outer: frozenset[str],
    ) -> None:
        super().__init__(module, function, kinds, mutating, links)
        self.live = live
        self.kept = kept
        self.outer = outer
        self.local = name_tools.bound(function)
        self.taken = set(name_tools.all_names(module.tree))

    def temporary(self, wanted: str) -> str:
        """Returns a name that is still free, and takes it."""
        name = name_tools.fresh(wanted, self.taken)
        self.taken.add(name)
        return name

    def base(self, node: Any, target: cst.BaseExpression) -> tuple[str, cst.BaseExpression, cst.Subscript | None]:
        """Returns the name, its expression and the subscript of a store's target, ``x[i][j]`` taken as ``x[i, j]``."""
        if isinstance(target, cst.Name):
            name: str = target.value
            self.check_local(node, name)
            return name, target, None
        if isinstance(target, cst.Subscript):
            if isinstance(target.value, cst.Name):
                self.check_local(node, target.value.value)
                return target.value.value, target.value, target
            if isinstance(target.value, cst.Subscript) and self.whole_index(target.value):
                joined = target.value.with_changes(
                    slice=[
                        *(
                            s.with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
                            for s in target.value.slice
                        ),
                        *target.slice,
                    ]
                )
                return self.base(node, joined)
        raise self.refuse(
            node, f"`{code(target)}` is stored into; JAX arrays are stored into by name and index only, as x[i]"
        )

    def whole_index(self, subscript: cst.Subscript) -> bool:
        return all(
            isinstance(s.slice, cst.Index)
            and (fact := self.kinds.of(s.slice.value)) is not None
            and fact.kind in ("int", "scalar")
            for s in subscript.slice
        )

    def check_local(self, node: Any, name: str) -> None:
        if name not in self.local:
            raise self.refuse(
                node,
                f"`{name}` is not a local array: storing into it would be lost, or leak out of the compiled "
                "function; pass "
                "it as an argument",
                "JX-LEAK",
            )

    def same_type(self, base: cst.BaseExpression, value: cst.BaseExpression) -> bool:
        a, b = self.kinds.of(base), self.kinds.of(value)
        return a is not None and b is not None and a.dtype == b.dtype and a.shape == b.shape and a.shape is not None

    def masked(
        self, node: Any, name: str, base: cst.BaseExpression, mask: cst.BaseExpression, value: cst.BaseExpression
    ) -> Update:
        whole = unmasked(value, mask, self.kinds, looked_up=True)
        if whole is None:
            raise self.refuse(
                node,
                f"`{code(value)}` is stored where `{code(mask)}` holds, and it cannot be computed for all "
                "elements first; "
                "write it with np.where over the whole array",
                "JX-BOOLMASK",
            )
        text = f"__numpy__.where({aligned(mask, base, self.kinds)}, {code(whole)}, {name})"
        return Update(name, text + self.cast_back(base, [base, value]))

    def cast_back(self, base: cst.BaseExpression, operands: list[cst.BaseExpression]) -> str:
        """Returns ``.astype(x.dtype)`` where an operation on the operands would not have the array's own dtype."""
        dtype = self.kinds.dtype(base)
        facts = [f for o in operands if (f := self.kinds.of(o)) is not None]
        if dtype is None or len(facts) < len(operands):
            return ""
        got = of_operands(facts)
        return "" if got is None or got == dtype else f".astype({code(base)}.dtype)"

    def cast(self, base: cst.BaseExpression, value: cst.BaseExpression) -> str:
        """Returns the stored value as text, cast to the array's dtype where it is of another one."""
        dtype, given = self.kinds.dtype(base), self.kinds.of(value)
        text = code(value)
        if dtype is None or given is None:
            return text
        if given.kind in ("array", "scalar") and given.dtype is not None and given.dtype != dtype:
            if of_operands([given, self.kinds.of(base) or given]) == dtype:
                return text
            simple = isinstance(value, cst.Name | cst.Attribute | cst.Call | cst.Subscript) or value.lpar
            return f"{text if simple else f'({text})'}.astype({code(base)}.dtype)"
        if given.kind in ("float", "complex") and is_integer(dtype):
            return f"__numpy__.asarray({text}).astype({code(base)}.dtype)"
        return text

    def partners(self, node: Any, name: str) -> dict[str, Link]:
        """Returns the names that share memory with ``name`` at a statement and are needed behind it."""
        live = self.live.after.get(node, frozenset()) | self.kept
        return {
            other: link
            for other, link in self.links.at.get(node, {}).get(name, {}).items()
            if not other.startswith("@") and other in live
        }

    def write_through(self, node: Any, name: str) -> list[str]:
        """Returns the statements that give the names sharing memory with ``name`` its new contents."""
        lines: list[str] = []
        for other in self.links.at.get(node, {}).get(name, {}):
            if other.startswith("@") and other[1:] != name and other[1:] in self.kept:
                direct = self.links.at[node].get(name, {}).get(other[1:])
                if direct is None:
                    raise self.refuse(
                        node,
                        f"`{name}` may still be the caller's array `{other[1:]}`; make a copy of it first",
                        "JX-ARGMUT",
                    )
        partners = self.partners(node, name)
        bases = [o for o, link in partners.items() if link.kind == "view"]
        for other, how in partners.items():
            if how.kind == "same":
                lines.append(f"{other} = {name}")
            elif how.kind == "view" and how.index is not None:
                lines.append(f"{other} = {other}.at[{index_text(how.index)}].set({name})")
            elif how.kind == "base" and how.index is not None:
                lines.append(f"{other} = {code(how.index)}")
            elif not (bases and other in self.kept):
                raise self.refuse(
                    node,
                    f"`{name}` shares memory with `{other}`, which is used later: under JAX it would not see this "
                    "store; "
                    f"copy one of them, or store into `{other}` directly",
                    "JX-IADD-ALIAS",
                )
        return lines
