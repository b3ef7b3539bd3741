"""One NumPy call that is being written in torch: its arguments bound by name, coerced, and emitted as text.

The adaptors (elementwise.py, reductions.py, shaping.py, algebra.py) see a call through :class:`CallSite` and
answer with a :class:`Written`. What they share stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import libcst as cst

from jitmagic.backends.torch.kinds import NO_ARITHMETIC, SUPPORTED, Value, torch_result
from jitmagic.backends.torch.table import DTYPES, Entry
from jitmagic.errors import Unsupported

_ATOMS = (
    cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.List, cst.Dict, cst.Set, cst.ListComp, cst.SimpleString,
    cst.Integer, cst.Float,
)  # fmt: skip


class Context(Protocol):
    """What an adaptor may ask of the rewrite around it."""

    stores: bool

    def spell(self, path: str) -> str:
        """Spells a dotted path by the module's imports, which then hold it."""

    def helper(self, name: str) -> str:
        """Returns the name of a small function that is written above the user's."""

    def device(self) -> str | None:
        """Returns an expression of the device on which new tensors belong, None where no tensor tells."""


@dataclass(frozen=True)
class Argument:
    """An argument after its own translation.

    Attributes
    ----------
    node : libcst.BaseExpression
    value : Value
        What it is in torch.
    parts : tuple of Argument
        The elements, where it is a tuple or list written out.
    kind : str or None
        The observed kind (``"none"`` matters: the argument counts as absent).
    """

    node: cst.BaseExpression
    value: Value
    parts: tuple[Argument, ...] = ()
    kind: str | None = None

    @property
    def code(self) -> str:
        """Its text, a tuple always in parentheses."""
        text = code(self.node)
        return f"({text})" if isinstance(self.node, cst.Tuple) and not self.node.lpar else text

    @property
    def atom(self) -> str:
        """Its text, in parentheses where an attribute or an operator could tear it apart."""
        return atom(self.node)

    @property
    def absent(self) -> bool:
        """Whether it is None."""
        return self.kind == "none" or (isinstance(self.node, cst.Name) and self.node.value == "None")

    @property
    def literal(self) -> Any:
        """The value of a written-out number, string, bool, or tuple of these; None where it is none."""
        return literal(self.node)


@dataclass(frozen=True)
class Written:
    """An adaptor's answer.

    Attributes
    ----------
    code : str
        The torch expression; ``""`` with ``target`` where the call's text stays and only the name changes.
    dtype : str or None
        The dtype it has as written, None where the adaptor does not know.
    target : str or None
        See ``code``.
    kind : str
        ``"tensor"``, or what else it is.
    view : bool
        Whether it shares memory with an argument where NumPy's does.
    items : tuple of Value
        For a sequence.
    """

    code: str
    dtype: str | None = None
    target: str | None = None
    kind: str = "tensor"
    view: bool = False
    items: tuple[Value, ...] = ()


Adaptor = Callable[["CallSite"], Written]
ADAPTORS: dict[str, Adaptor] = {}


def adaptor(function: Adaptor) -> Adaptor:
    """Registers an adaptor under its function's name, a final underscore taken off."""
    ADAPTORS[function.__name__.rstrip("_")] = function
    return function


class CallSite:
    """A NumPy call with its arguments bound to NumPy's parameters.

    Attributes
    ----------
    path : str
        NumPy's dotted path.
    entry : Entry
        The line of the table.
    arguments : mapping of str to Argument
        By NumPy's parameter names; those that are None are left out.
    nones : frozenset of str
        The parameters that are given as None.
    rest : tuple of Argument
        What a ``*`` in the parameters took.
    receiver : bool
        Whether it was written as a method of its first argument.
    wanted : Value
        What NumPy gave, as a torch value; unknown where the call was not observed.
    context : Context
    line : int or None
        The user's line.
    """

    def __init__(
        self,
        path: str,
        entry: Entry,
        positional: Sequence[Argument],
        keywords: Mapping[str, Argument],
        wanted: Value,
        context: Context,
        line: int | None,
        parameters: str | None = None,
        receiver: bool = False,
    ) -> None:
        self.path, self.entry, self.wanted = path, entry, wanted
        self.context, self.line, self.receiver = context, line, receiver
        self.given = tuple(positional)
        self.plain = not keywords
        self.rest: tuple[Argument, ...] = ()
        bound: dict[str, Argument] = {}
        names = (parameters or entry.parameters).split()
        for position, argument in enumerate(positional):
            if position < len(names) and names[position] != "*":
                bound[names[position]] = argument
            elif "*" in names:
                self.rest = (*self.rest, argument)
            else:
                self.fail(f"passes more arguments to `{self.name}` than its torch counterpart is known to take")
        for name, argument in keywords.items():
            if name not in names and "*" not in names and not argument.absent:
                self.fail(f"passes `{name}=` to `{self.name}`, which has no counterpart in torch")
            bound[name] = argument
        self.arguments = {name: a for name, a in bound.items() if not a.absent}
        self.nones = frozenset(name for name, a in bound.items() if a.absent)

    @property
    def name(self) -> str:
        """NumPy's name as a reader knows it: ``np.linalg.norm``."""
        return self.path.replace("numpy.", "np.", 1) if self.path.startswith("numpy.") else self.path

    def fail(self, why: str, code: str | None = None) -> NoReturn:
        """Refuses the call; ``why`` continues "line 7 …"."""
        where = "the function" if self.line is None else f"line {self.line}"
        raise Unsupported(f"{where} {why}", self.line, code)

    def forbid(self, *names: str) -> None:
        """Refuses arguments that torch has no counterpart for."""
        for name in names:
            argument = self.arguments.get(name)
            if argument is not None and argument.literal is not False:
                self.fail(f"passes `{name}=` to `{self.name}`, which has no counterpart in torch")

    def get(self, name: str) -> Argument | None:
        """Returns an argument, None where it is absent or None."""
        return self.arguments.get(name)

    def need(self, name: str) -> Argument:
        """Returns an argument that NumPy demands."""
        found = self.arguments.get(name)
        if found is None:
            self.fail(f"calls `{self.name}` without `{name}`, or with a starred argument that hides it")
        return found

    def text(self, name: str, default: str) -> str:
        """Returns an argument's text, or the default."""
        found = self.arguments.get(name)
        return default if found is None else found.code

    def literal(self, name: str, default: Any) -> Any:
        """Returns the value of a written-out argument, the default where absent; refuses what is computed."""
        found = self.arguments.get(name)
        if found is None:
            return default
        value = found.literal
        if value is None:
            self.fail(f"computes `{name}` of `{self.name}`; torch needs it written out")
        return value

    def tensor(self, argument: Argument | str, dtype: str | None = None, operator: bool = False) -> str:
        """Returns the text of an argument as a tensor, of a dtype if one is given.

        Parameters
        ----------
        operator : bool
            The text stands before an operator or an attribute.
        """
        argument = self.need(argument) if isinstance(argument, str) else argument
        value = argument.value
        if value.kind == "tensor" or value.kind in ("unknown", "other"):
            if dtype is not None and value.dtype is not None and value.dtype != dtype:
                return f"{argument.atom}.to({self.dtype(dtype)})"
            return argument.atom if operator else argument.code
        wanted = dtype or value.numpy_dtype
        typed = "" if wanted is None else f", dtype={self.dtype(wanted)}"
        if value.kind == "either":
            return f"{self.context.spell('torch.as_tensor')}({argument.code}{typed})"
        if value.kind == "number":
            return f"{self.context.spell('torch.tensor')}({argument.code}{typed})"
        return self.pack(argument, wanted)

    def pack(self, argument: Argument, dtype: str | None) -> str:
        """Returns a list or tuple as one tensor: `torch.tensor` of numbers, `torch.stack` of tensors."""
        value = argument.value
        if not _holds_tensor(value) and value.items:
            return f"{self.context.spell('torch.tensor')}({argument.code}{self.made(dtype)})"
        if not argument.parts:
            if value.items and all(item.is_tensor and item.dtype == dtype for item in value.items):
                return f"{self.context.spell('torch.stack')}(tuple({argument.code}))"
            if dtype is None:
                self.fail(f"makes an array of `{argument.code}`, a list of which it was not seen what it holds")
            device = self.context.device()
            rest = f", {device}" if device else ""
            return f"{self.context.helper('packed')}({argument.code}, {self.dtype(dtype)}{rest})"
        parts = []
        for part in argument.parts:
            if part.value.kind == "sequence":
                parts.append(self.pack(part, dtype))
            elif part.value.kind == "number":
                parts.append(f"{self.context.spell('torch.tensor')}({part.code}{self.made(dtype)})")
            else:
                parts.append(self.tensor(part, dtype))
        return f"{self.context.spell('torch.stack')}([{', '.join(parts)}])"

    def dtype(self, name: str) -> str:
        """Spells a dtype; refuses one with which torch does not compute."""
        if name not in SUPPORTED and name not in NO_ARITHMETIC:
            self.fail(f"uses the dtype {name}, which torch does not have")
        if name in NO_ARITHMETIC:
            self.fail(f"computes with {name}, for which torch has no arithmetic: take int64 or uint8", "PT-UINT")
        return self.context.spell(f"torch.{name}")

    def made(self, dtype: str | None) -> str:
        """Returns ``, dtype=…, device=…`` for a new tensor."""
        device = self.context.device()
        return ("" if dtype is None else f", dtype={self.dtype(dtype)}") + (
            "" if device is None else f", device={device}"
        )

    def result_dtype(self) -> str | None:
        """Returns the observed dtype of the result; for an unobserved call, the one that is asked for."""
        if self.wanted.dtype is not None and self.wanted.kind == "tensor":
            return self.wanted.dtype
        asked = self.get("dtype")
        return None if asked is None else dtype_name(asked.node)

    def write(self, target: str, first: str, *rest: str, **keywords: str | None) -> str:
        """Writes a call: as a method where the user wrote a method and torch has it, else as a function."""
        parts = [p for p in rest if p]
        parts += [f"{name}={text}" for name, text in keywords.items() if text is not None]
        method = target.count(".") == 1 and target.rpartition(".")[2] in TENSOR_METHODS
        if self.receiver and method and not keywords.get("out"):
            return f"{first}.{target.rpartition('.')[2]}({', '.join(parts)})"
        return f"{self.context.spell(target)}({', '.join([first, *parts])})"

    def self_text(self, name: str, dtype: str | None = None) -> str:
        """Returns the array argument's text for :meth:`write`, in parentheses if it becomes a receiver."""
        return self.tensor(name, dtype, operator=self.receiver)

    def axes(self, name: str = "axis", default: str | None = None) -> str | None:
        """Returns the text of an axis argument, the default where absent."""
        found = self.arguments.get(name)
        return default if found is None else found.code

    def keep(self) -> str | None:
        """Returns the text of ``keepdims``, None where it is absent or False."""
        found = self.arguments.get("keepdims")
        return None if found is None or found.literal is False else found.code

    def real_input(self, name: str) -> str | None:
        """Returns the dtype an argument must be cast to before a function that gives floats, None if it may stay."""
        given = self.need(name).value.numpy_dtype
        if given is None:
            return None
        if given.startswith(("int", "uint", "bool")):
            return self.wanted.dtype if (self.wanted.dtype or "").startswith(("float", "complex")) else "float64"
        return None

    def promoted(self, *names: str) -> tuple[list[Argument], str | None, str | None]:
        """Returns the arguments, torch's dtype for them, and NumPy's."""
        found = [self.need(name) for name in names]
        return found, torch_result([a.value for a in found]), self.wanted.dtype


def dtype_name(node: cst.BaseExpression) -> str | None:
    """Returns the dtype that an expression names, None where it is computed (``x.dtype``).

    >>> dtype_name(cst.parse_expression("torch.float32")), dtype_name(cst.parse_expression("'f8'"))
    ('float32', 'float64')
    """
    if isinstance(node, cst.SimpleString):
        return DTYPES.get(str(node.evaluated_value).lstrip("<=|"))
    if isinstance(node, cst.Name):
        return DTYPES.get(node.value)
    if isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name):
        return DTYPES.get(node.attr.value)
    return None


def code(node: cst.CSTNode) -> str:
    """Returns a node's text."""
    return cst.Module([]).code_for_node(node)


def atom(node: cst.BaseExpression) -> str:
    """Returns a node's text, in parentheses unless it stands for itself anywhere."""
    if isinstance(node, _ATOMS) or node.lpar:
        return code(node)
    return f"({code(node)})"


def literal(node: cst.BaseExpression) -> Any:
    """Returns the value of a written-out number, string, bool, or tuple or list of these, else None."""
    import ast

    try:
        return ast.literal_eval(code(node))
    except (ValueError, SyntaxError):
        return None


def _holds_tensor(value: Value) -> bool:
    if value.kind == "sequence":
        return any(_holds_tensor(item) for item in value.items)
    return value.kind != "number"


TENSOR_METHODS = frozenset(
    [
        "abs",
        "all",
        "amax",
        "amin",
        "any",
        "argmax",
        "argmin",
        "argsort",
        "clamp",
        "clone",
        "conj",
        "cumprod",
        "cumsum",
        "diagonal",
        "dot",
        "flatten",
        "isnan",
        "mean",
        "nonzero",
        "permute",
        "prod",
        "ravel",
        "repeat_interleave",
        "reshape",
        "round",
        "std",
        "sum",
        "swapaxes",
        "trace",
        "var",
        "squeeze",
    ]
)
"""Functions of torch that are methods of a tensor with the same arguments; a test asks the installed library."""
