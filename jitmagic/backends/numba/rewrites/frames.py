"""Keeps an array that a loop pads in each step inside its frame: what is made of it is written into the next one.

```
for _ in range(n):                                     padded = np.pad(u, 1)
    padded = np.pad(u, 1)                              next_padded = padded.copy()
    u = padded[2:] + padded[:-2] - 2*u                 for _ in range(n):
return u                                          ->       next_padded[1:-1] = padded[2:] + ... - 2*padded[1:-1]
                                                           padded, next_padded = next_padded, padded
                                                       u = padded[1:-1].copy()
                                                       return u
```

A frame of zeros stays as it is; one that repeats the edge, or wraps around, is written anew. Nothing but the two names
may ever stand for either array, and the padded one is read only between its making and the next value of the inner
one: so it may be the padded inner array all the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.analysis.aliases import Aliases
from jitmagic.backends.numba.rewrites.buffers import escapes, is_alone
from jitmagic.backends.numba.rewrites.context import Context, LoopRewriter
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import made, small, statements, with_body
from jitmagic.generate.liveness import Liveness, live_names
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import nodes_of

_BINDING: tuple[type[cst.AugAssign | cst.AnnAssign | cst.For | cst.CompFor | cst.NamedExpr], ...] = (
    cst.AugAssign, cst.AnnAssign, cst.For, cst.CompFor, cst.NamedExpr,
)  # fmt: skip
_WIDTHS = {"constant": 1000, "edge": 3, "wrap": 1}
"""The widest frame of each mode: an array shorter than it is wide would wrap around more than once."""
_AXES = 3
"""Up to so many axes are padded."""


@dataclass(frozen=True)
class _Frame:
    """An array that is padded, its padded form, and the two statements that make them.

    Attributes
    ----------
    inner, padded : str
    pads, makes : int
        Where in the loop the one is padded, and made anew.
    width, ndim : int
    mode : str
    """

    inner: str
    padded: str
    pads: int
    makes: int
    width: int
    ndim: int
    mode: str

    @property
    def window(self) -> str:
        """What stands in the padded array's subscript for the inner one."""
        return ", ".join([f"{self.width}:-{self.width}"] * self.ndim)

    def edges(self, array: str) -> list[str]:
        """Returns the statements that write the frame anew, an axis at a time, so that the corners come right."""
        w = self.width
        if self.mode == "edge":
            # one place at a time: `parallel=True` stretches nothing that is stored
            before = [(f"{k}:{k + 1}", f"{w}:{w + 1}") for k in range(w)]
            behind = [(f"-{k + 1}:" + (f"-{k}" if k else ""), f"-{w + 1}:-{w}") for k in reversed(range(w))]
        elif self.mode == "wrap":
            before, behind = [(":1", "-2:-1")], [("-1:", "1:2")]
        else:
            return []
        return [
            f"{array}[{':, ' * axis}{place}] = {array}[{':, ' * axis}{source}]"
            for axis in range(self.ndim) for place, source in (*before, *behind)
        ]  # fmt: skip


class Frames(LoopRewriter):
    """Rewrites loops.

    Parameters
    ----------
    context : Context
    aliases : Aliases
        Of the user's text.
    """

    def __init__(self, context: Context, aliases: Aliases) -> None:
        super().__init__(context)
        self._aliases = aliases
        self._live = Liveness()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        if len(self.functions) == 1:
            self._live = live_names(statements(node), name_tools.captured(node))

    def behind_loop(self, original_node: cst.For | cst.While, updated_node: Any) -> Any:
        body = statements(original_node)
        if len(self.functions) != 1 or original_node.orelse is not None or len(statements(updated_node)) != len(body):
            return updated_node
        frames = [f for position in range(len(body)) if (f := self._frame(original_node, body, position)) is not None]
        if not frames or len({name for f in frames for name in (f.inner, f.padded)}) != 2 * len(frames):
            return updated_node
        lines = self._written(frames, updated_node)
        behind = self._live.after.get(original_node, frozenset())
        for frame in frames:
            if frame.inner in behind:
                last = body[frame.makes]
                lines.append(made(f"{frame.inner} = {frame.padded}[{frame.window}].copy()\n", last))
        return cst.FlattenSentinel(lines)

    # -- whether a loop is one

    def _frame(self, loop: cst.For | cst.While, body: Sequence[Any], position: int) -> _Frame | None:
        """Returns what a statement of a loop pads, None where the loop cannot keep it in its frame."""
        one = small(body[position])
        padded = _target(one)
        if padded is None or not isinstance(one.value, cst.Call) or self.path(one.value.func) != "numpy.pad":
            return None
        given = self._arguments(one.value)
        fact = self.fact(one.value)
        if given is None or fact is None or fact.shape is None or not 0 < len(fact.shape) <= _AXES:
            return None
        inner, width, mode = given
        makes = [k for k, other in enumerate(body) if _target(small(other)) == inner]
        if len(makes) != 1 or makes[0] <= position:
            return None
        frame = _Frame(inner, padded, position, makes[0], width, len(fact.shape), mode)
        return frame if self._stays(frame, loop, body) and self._is_same(frame, body) else None

    def _arguments(self, call: cst.Call) -> tuple[str, int, str] | None:
        """Returns the name of what is padded, the width, and the mode."""
        plain = [a.value for a in call.args if a.keyword is None and not a.star]
        keywords = {a.keyword.value: a.value for a in call.args if a.keyword is not None}
        if len(plain) + len(keywords) != len(call.args) or not 1 <= len(plain) <= 3:
            return None
        width = keywords.pop("pad_width", plain[1] if len(plain) > 1 else None)
        mode = keywords.pop("mode", plain[2] if len(plain) > 2 else cst.SimpleString('"constant"'))
        if keywords or not isinstance(plain[0], cst.Name) or not isinstance(width, cst.Integer):
            return None
        said = mode.evaluated_value if isinstance(mode, cst.SimpleString) else None
        if said not in _WIDTHS or width.evaluated_value < 1:
            return None
        if width.evaluated_value > _WIDTHS[said]:
            return None
        return plain[0].value, width.evaluated_value, said

    def _is_same(self, frame: _Frame, body: Sequence[Any]) -> bool:
        """Says whether the inner array keeps its shape and dtype from step to step."""
        call = small(body[frame.pads]).value
        before, after = self.fact(call.args[0].value), self.fact(small(body[frame.makes]).value)
        if before is None or after is None or before.kind != "array" or after.kind != "array":
            return False
        same = before.shape == after.shape and before.dtype == after.dtype and before.dtype is not None
        return same and None not in (before.shape or (None,))

    def _stays(self, frame: _Frame, loop: cst.For | cst.While, body: Sequence[Any]) -> bool:
        """Says whether nothing else holds, changes or binds the two arrays."""
        function = self.functions[0]
        names = {frame.inner, frame.padded}
        given = name_tools.parameters(function)
        if names & name_tools.captured(function) or frame.padded in given:
            return False
        if not all(is_alone(name, function.name.value, self._aliases) for name in names):
            return False
        if any(escapes(self, loop, name) for name in names) or self._changes(loop, names):
            return False
        if frame.inner in given and self._changes(function.body, {frame.inner}):
            return False  # without a step it would be the caller's array
        everywhere = [name for name in _bound_in(function) if name == frame.padded]
        here = [name for name in _bound_in(loop) if name == frame.inner]
        if len(everywhere) != 1 or len(here) != 1:
            return False
        between = body[frame.pads + 1 : frame.makes + 1]
        used = sum(node.value == frame.padded for one in between for node in nodes_of(one, cst.Name))
        every = sum(node.value == frame.padded for node in nodes_of(function, cst.Name))
        return used + 1 == every

    def _changes(self, loop: cst.CSTNode, names: set[str]) -> bool:
        """Says whether elements of one of the arrays are stored into, by a statement or by a call."""
        places = [t.target for one in nodes_of(loop, cst.Assign) for t in one.targets]
        places += [one.target for one in nodes_of(loop, cst.AugAssign)]
        for place in places:
            base: cst.BaseExpression = place
            while isinstance(base, cst.Subscript | cst.Attribute):
                base = base.value
            if isinstance(base, cst.Name) and base.value in names and not isinstance(place, cst.Name):
                return True
        if any(isinstance(one.target, cst.Name) and one.target.value in names for one in nodes_of(loop, cst.AugAssign)):
            return True
        for call in nodes_of(loop, cst.Call):
            writes = any(a.keyword is not None and a.keyword.value == "out" for a in call.args)
            if writes and names & name_tools.loads(call):
                return True
        return False

    # -- how it is written

    def _written(self, frames: Sequence[_Frame], loop: Any) -> list[Any]:
        taken = set(name_tools.all_names(self.functions[0]))
        others: dict[str, str] = {}
        for frame in frames:
            others[frame.padded] = name_tools.fresh(f"next_{frame.padded}", taken)
            taken.add(others[frame.padded])
        body = statements(loop)
        new = with_body(loop, self._steps(frames, others, body))
        self.module.inherit(new, loop)
        before: list[Any] = []
        for frame in frames:
            pads = body[frame.pads]
            new = new.visit(_Inside(self.module, frame, small(pads).value))
            first = pads.with_changes(leading_lines=() if before else loop.leading_lines)
            self.module.inherit(first, pads)
            before += [first, made(f"{others[frame.padded]} = {frame.padded}.copy()\n", pads)]
        bare = new.with_changes(leading_lines=())
        self.module.inherit(bare, new)
        return [*before, bare]

    def _steps(self, frames: Sequence[_Frame], others: dict[str, str], body: Sequence[Any]) -> list[Any]:
        """Returns what is done in each step; arrays take turns before they are read again, or at the end.

        Where several stores follow one another they can so become one loop.
        """
        pads = {frame.pads for frame in frames}
        makes = {frame.makes: frame for frame in frames}
        lines: list[Any] = []
        waiting: list[_Frame] = []
        comments: list[Any] = []

        def turned(which: Sequence[_Frame]) -> None:
            for frame in which:
                other = others[frame.padded]
                turns = [*frame.edges(other), f"{frame.padded}, {other} = {other}, {frame.padded}"]
                lines.extend(made(f"{line}\n", body[frame.makes]) for line in turns)
                waiting.remove(frame)

        for position, statement in enumerate(body):
            if position in pads:
                comments += statement.leading_lines
                continue
            if comments:
                changed = statement.with_changes(leading_lines=[*comments, *statement.leading_lines])
                self.module.inherit(changed, statement)
                statement, comments = changed, []
            read = name_tools.loads(statement)
            jumps = any(nodes_of(statement, kind) for kind in (cst.Break, cst.Continue, cst.Return))
            turned([frame for frame in waiting if jumps or frame.inner in read])
            if position in makes:
                frame = makes[position]
                call = small(body[frame.pads]).value
                lines.append(self._stored(frame, statement, others[frame.padded], call))
                waiting.append(frame)
            else:
                lines.append(statement)
        turned(list(waiting))
        return lines

    def _stored(self, frame: _Frame, makes: Any, other: str, call: cst.Call) -> Any:
        """Returns the statement that makes the inner array anew as a store into the other frame."""
        one = small(makes)
        place = cst.parse_expression(f"{other}[{frame.window}]")
        assert isinstance(place, cst.Subscript)
        self.module.inherit(place.value, call)
        store = one.with_changes(targets=[one.targets[0].with_changes(target=place)])
        self.module.inherit(store, one)
        line = makes.with_changes(body=[store])
        self.module.inherit(line, makes)
        return line


class _Inside(Rewriter):
    """Reads the inner array inside its frame."""

    def __init__(self, module: Module, frame: _Frame, call: cst.Call) -> None:
        super().__init__(module)
        self.frame = frame
        self.call = call

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        inner = isinstance(original_node.value, cst.Name) and original_node.value.value == self.frame.inner
        if inner and original_node.attr.value in ("dtype", "ndim"):
            return updated_node.with_changes(value=cst.Name(self.frame.padded))
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        if original_node.value != self.frame.inner:
            return updated_node
        part = cst.parse_expression(f"{self.frame.padded}[{self.frame.window}]")
        assert isinstance(part, cst.Subscript)
        self.module.inherit(part.value, self.call)
        return part

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)


def _target(one: Any) -> str | None:
    """Returns the name that a plain assignment binds."""
    if not isinstance(one, cst.Assign) or len(one.targets) != 1:
        return None
    target = one.targets[0].target
    return target.value if isinstance(target, cst.Name) else None


def _bound_in(node: cst.CSTNode) -> list[str]:
    """Returns the names that statements and expressions bind, as often as they do."""
    found = [name for one in nodes_of(node, cst.Assign) for t in one.targets for name in name_tools.targets(t.target)]
    for kind in _BINDING:
        found += [name for one in nodes_of(node, kind) for name in name_tools.targets(one.target)]
    return found + [name for one in nodes_of(node, cst.AsName) for name in name_tools.targets(one.name)]
