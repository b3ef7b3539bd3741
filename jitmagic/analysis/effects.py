"""Effects: what a function does besides returning a value, with the place of each.

>>> from jitmagic.analysis.aliases import Aliases
>>> from jitmagic.analysis.names import Names
>>> from jitmagic.analysis.tree import SourceTree
>>> tree = SourceTree("def fn(a):\\n    v = a[1:]\\n    v[:] = 0\\n    print(a)\\n", "fn")
>>> names = Names(tree, {})
>>> found = Effects(tree, names, Aliases(tree, names))
>>> [(effect.kind, effect.name, effect.span.line) for effect in found.all]
[('argument written', 'a', 3), ('print', 'print', 4)]
>>> sorted(found.written_parameters(tree.entry))
['a']

Conservative as the aliases are: a write that may happen is reported. An effect is reported where a table or the
source shows one; a call of which nothing is known shows none. That is what a user can be warned of. Whoever must be
sure that there is none (a loop that is to run in parallel) asks `jitmagic.analysis.purity`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field

from jitmagic.analysis import memory
from jitmagic.analysis.aliases import Aliases
from jitmagic.analysis.names import Names
from jitmagic.analysis.tree import SourceTree, bind_arguments, own_nodes, stores_of, target_names
from jitmagic.observe.facts import Span

KINDS = (
    "print", "log", "input", "file", "network", "time", "random", "raise",
    "global read", "global write", "argument written", "local written",
)  # fmt: skip

WRITING_METHODS = memory.WRITING_METHODS | memory.CONTAINER_METHODS
FIRST_ARGUMENT_WRITTEN = frozenset(
    {*(f"numpy.{name}" for name in memory.WRITING_FUNCTIONS), "random.shuffle",
     "heapq.heappush", "heapq.heappop", "heapq.heapify"}
)  # fmt: skip

_PATHS = {
    "builtins.print": "print", "builtins.input": "input", "builtins.open": "file", "pprint.pprint": "print",
    "sys.stdout.write": "print", "sys.stderr.write": "print", "IPython.display.display": "print",
    "builtins.display": "print",
}  # fmt: skip
_PREFIXES = {
    "logging.": "log", "warnings.warn": "log", "matplotlib.": "print", "tqdm": "print",
    "requests.": "network", "urllib.": "network", "socket.": "network", "http.": "network", "subprocess.": "file",
    "os.": "file", "shutil.": "file", "pathlib.": "file", "pickle.": "file", "json.dump": "file", "json.load": "file",
    "h5py.": "file", "numpy.save": "file", "numpy.load": "file", "numpy.genfromtxt": "file", "numpy.fromfile": "file",
    "pandas.read_": "file", "scipy.io.": "file",
    "time.": "time", "datetime.datetime.now": "time", "datetime.datetime.today": "time",
    "datetime.datetime.utcnow": "time", "datetime.date.today": "time",
    "numpy.random.": "random", "random.": "random", "scipy.stats.rvs": "random", "secrets.": "random",
    "uuid.": "random",
}  # fmt: skip
_PURE = ("os.path.", "os.cpu_count", "time.strftime", "datetime.timedelta", "pathlib.Path", "numpy.random.Generator",
         "numpy.random.SeedSequence")  # fmt: skip


@dataclass(frozen=True)
class Effect:
    """One effect at one place.

    Attributes
    ----------
    kind : str
        One of :data:`KINDS`.
    name : str
        The function called, the global, or the root name that is written.
    span : Span
    how : str
        For writes: ``"subscript"``, ``"augmented"``, ``"out"``, ``"method"``, ``"function"``, ``"attribute"``,
        ``"rebound"`` or ``"helper"``; else empty.
    through : str
        For writes: the local name or the helper through which it is written, if not the name itself.
    function : str
        The `def` in which it stands.
    node : ast.AST
    """

    kind: str
    name: str
    span: Span
    how: str = ""
    through: str = ""
    function: str = ""
    node: ast.AST = field(default_factory=ast.AST, compare=False, repr=False)


class Effects:
    """The effects of every function of a module, in the order of the text.

    Attributes
    ----------
    all : tuple of Effect
    """

    def __init__(self, tree: SourceTree, names: Names, aliases: Aliases) -> None:
        self.tree, self.names, self.aliases = tree, names, aliases
        self._writes: dict[ast.AST, set[str]] = {node: set() for node in tree.definitions()}
        changed = True
        while changed:  # writes through helpers: repeat until no summary grows
            changed = False
            for function in tree.definitions():
                parameters = self.names.scope(function).parameters
                written = {
                    effect.name
                    for effect in self._written(function)
                    if effect.kind != "local written" or effect.name not in parameters
                }
                if not written <= self._writes[function]:
                    self._writes[function] |= written
                    changed = True
        found = [effect for function in tree.definitions() for effect in self._effects(function)]
        self.all = tuple(sorted(set(found), key=lambda effect: (effect.span, effect.kind, effect.name)))

    def of(self, *kinds: str) -> tuple[Effect, ...]:
        """Returns the effects of some kinds."""
        unknown = set(kinds) - set(KINDS)
        if unknown:
            raise ValueError(f"effects are of the kinds {KINDS}, not {sorted(unknown)}")
        return tuple(effect for effect in self.all if effect.kind in kinds)

    def written_parameters(self, function: ast.FunctionDef) -> frozenset[str]:
        """Returns the parameters whose contents a function may change, through views and helpers too."""
        return frozenset(self._writes[function] & set(self.names.scope(function).parameters))

    def _effects(self, function: ast.FunctionDef) -> list[Effect]:
        found = self._written(function)
        for node in own_nodes(function):
            if isinstance(node, ast.Call):
                kind = self._call_kind(node)
                if kind is not None:
                    found.append(self._effect(kind, self.tree.segment(node.func), node, function))
            elif isinstance(node, ast.Raise | ast.Assert):
                raised = node.exc if isinstance(node, ast.Raise) else None
                name = self.tree.segment(raised.func if isinstance(raised, ast.Call) else raised) if raised else ""
                found.append(self._effect("raise", name or "AssertionError", node, function))
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and self._is_outside(node):
                found.append(self._effect("global read", node.id, node, function))
        return found

    def _call_kind(self, node: ast.Call) -> str | None:
        path = self.names.path(node.func)
        if path is not None:
            if path in _PATHS:
                return _PATHS[path]
            if path.startswith(_PURE):
                return None
            return next((kind for prefix, kind in _PREFIXES.items() if path.startswith(prefix)), None)
        if not isinstance(node.func, ast.Attribute):
            return None
        method, owner = node.func.attr, node.func.value
        if method in ("tofile", "to_csv", "to_hdf", "to_pickle", "write", "writelines", "read_text", "write_text"):
            return "file"
        if method in ("debug", "info", "warning", "error", "exception", "critical") and self._is_logger(owner):
            return "log"
        if method in memory.GENERATOR_METHODS | {"shuffle"}:
            fact = self.aliases.fact(owner)
            distinctive = method not in ("choice", "bytes", "spawn", "f")
            if (fact is None and distinctive) or (fact is not None and fact.kind == "object"):
                return "random"
        return None

    def _is_logger(self, owner: ast.expr) -> bool:
        return isinstance(owner, ast.Name) and "log" in owner.id.lower()

    def _is_outside(self, name: ast.Name) -> bool:
        """Tells whether a name is a value of the module, not a function, an import, a builtin or an outer local."""
        return self.names.binder(name) is None and self.names.path(name) is None and name.id not in self.tree.functions

    def _written(self, function: ast.FunctionDef) -> list[Effect]:
        found: list[Effect] = []

        def write(target: ast.AST, node: ast.AST, how: str, through: str = "") -> None:
            direct = target.id if isinstance(target, ast.Name) else ""
            for root in sorted(self._roots(target, function)):
                name = root.partition("@")[0]
                label = through or (direct if direct != name else "")
                kind = "local written" if "@" in root else self._kind_of(root, function)
                found.append(self._effect(kind, name, node, function, how, label))

        for node in own_nodes(function):
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.For | ast.Delete):
                targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else [node.target]
                for target in targets:
                    for stored in stores_of(target):
                        how = "subscript" if isinstance(stored, ast.Subscript) else "attribute"
                        write(stored.value, node if isinstance(node, ast.Assign) else stored, how)
                    for name in target_names(target):
                        if self._is_rebound_outside(name, function):
                            found.append(self._effect("global write", name.id, node, function, "rebound"))
            elif isinstance(node, ast.AugAssign):
                if isinstance(node.target, ast.Name):
                    if self._is_rebound_outside(node.target, function):
                        found.append(self._effect("global write", node.target.id, node, function, "rebound"))
                    elif self._may_be_array(node.target):
                        write(node.target, node, "augmented")
                else:
                    how = "subscript" if isinstance(node.target, ast.Subscript) else "attribute"
                    write(node.target.value, node, how)
            elif isinstance(node, ast.Call):
                self._written_by_call(node, write)
            elif isinstance(node, ast.FunctionDef):  # what a nested function writes of ours
                inner = self.names.scope(node)
                for outer in sorted(self._writes.get(node, set()) - inner.local):
                    if outer in self.names.scope(function).local:
                        for root in sorted(self.aliases.roots(function, outer)):
                            kind = self._kind_of(root, function)
                            found.append(self._effect(kind, root, node, function, "helper", node.name))
        return found

    def _written_by_call(self, node: ast.Call, write: Callable[..., None]) -> None:
        path = self.names.path(node.func)
        for output in memory.outputs_of(node, path):
            write(output, node, "out")
        helper = self.names.helper(node.func)
        if helper is not None:
            bound = bind_arguments(node, helper)
            parameters = self.names.scope(helper).parameters
            for root in sorted(self._writes.get(helper, ())):
                if root in parameters:
                    for argument in node.args if bound is None else bound.get(root, []):
                        given = argument.value if isinstance(argument, ast.Starred) else argument
                        write(given, node, "helper", helper.name)
            return
        if path is not None:
            at = path.startswith("numpy.") and path.endswith(".at")
            if (path in FIRST_ARGUMENT_WRITTEN or at) and node.args:
                write(node.args[0], node, "function")
            elif path == "numpy.nan_to_num" and node.args:
                copied = [*node.args[1:2], *(k.value for k in node.keywords if k.arg == "copy")]
                if any(getattr(value, "value", False) is not True for value in copied):
                    write(node.args[0], node, "function")
            return
        if isinstance(node.func, ast.Attribute) and node.func.attr in WRITING_METHODS:
            fact = self.aliases.fact(node.func.value)
            if node.func.attr == "shuffle" and node.args:  # Generator.shuffle(x)
                write(node.args[0], node, "method")
            elif fact is None or fact.kind not in ("str", "module", "function", "tuple"):
                write(node.func.value, node, "method")

    def _roots(self, target: ast.AST, function: ast.FunctionDef) -> frozenset[str]:
        found = self.aliases.sources(target)
        if found or not isinstance(target, ast.Name):
            return found
        fact = self.aliases.fact(target)
        known = fact is not None and fact.kind in ("scalar", "float", "int", "bool", "complex", "str")
        return frozenset() if known else self.aliases.roots(function, target.id)

    def _may_be_array(self, name: ast.Name) -> bool:
        """Tells whether ``name += …`` may write in place: not where it is known to be a number, a string or a tuple."""
        fact = self.aliases.fact(name)
        if fact is not None and fact.kind != "mixed":
            return fact.kind in ("array", "list", "dict", "object")
        binder = self.names.binder(name)
        if binder is None:
            return False
        values = [v for v in self.names.values(binder, name.id) if not isinstance(v, ast.AugAssign)]
        return not values or not all(_is_number(value) for value in values)

    def _kind_of(self, root: str, function: ast.FunctionDef) -> str:
        scope = self.names.scope(function)
        if root in scope.parameters:
            return "argument written"
        if root in scope.local or root not in scope.free:
            return "local written"
        outer = [node for node in self.tree.ancestors(function) if isinstance(node, ast.FunctionDef)]
        return "local written" if any(root in self.names.scope(node).local for node in outer) else "global write"

    def _is_rebound_outside(self, name: ast.Name, function: ast.FunctionDef) -> bool:
        return name.id in self.names.scope(function).declared_global

    def _effect(
        self, kind: str, name: str, node: ast.AST, function: ast.FunctionDef, how: str = "", through: str = ""
    ) -> Effect:
        return Effect(kind, name, self.tree.span(node), how, through, function.name, node)


def _is_number(value: ast.AST) -> bool:
    if isinstance(value, ast.UnaryOp):
        return _is_number(value.operand)
    if isinstance(value, ast.BinOp):
        return _is_number(value.left) and _is_number(value.right)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id in ("len", "int", "float", "bool", "complex", "str", "range")
    return isinstance(value, ast.Constant | ast.JoinedStr)
