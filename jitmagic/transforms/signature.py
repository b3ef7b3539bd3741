"""The signature of the user's function, as the functions that are written around it need it."""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass

from jitmagic.capture.workload import ModuleText, Workload
from jitmagic.transforms.checks import definition
from jitmagic.transforms.transform import Transform


@dataclass(frozen=True)
class Around:
    """A function around the user's.

    Attributes
    ----------
    inner, name : str
        The user's function, and the one around it: ``energy`` and ``energy_grad``.
    argument : str
        The parameter that the transformation is for.
    parameters : str
        The parameters as they stand in a ``def``, with their defaults and without annotations.
    passed : str
        What passes them on: ``"x, k, *rest, n=n"``.
    position : int or None
        Where the argument stands among the positional ones; None where the call gives it by its name.
    plain : bool
        Whether the call gives every parameter by its place.
    """

    inner: str
    name: str
    argument: str
    parameters: str
    passed: str
    position: int | None
    plain: bool


def around(transform: Transform, workload: Workload, taken: str = "") -> Around:
    """Finds what a function around the user's needs to know; names in the text ``taken`` are not to be used."""
    node = definition(workload)
    if node is None:
        raise ValueError(f"{workload.function.name} has no definition at the top of its module")
    parameters, passed = passing(node)
    places = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
    by_place = node.args.vararg is None and node.args.kwarg is None and not node.args.kwonlyargs
    position = None if transform.argument in workload.kwargs else places.index(transform.argument)
    return Around(
        workload.function.name,
        fresh(f"{workload.function.name}_{transform.kind}", workload.module.text + taken),
        transform.argument,
        parameters,
        passed,
        position,
        plain=by_place and len(places) == len(workload.args) and not workload.kwargs,
    )


def passing(node: ast.FunctionDef) -> tuple[str, str]:
    """Returns a function's parameters, with their defaults and without annotations, and what passes them on.

    >>> passing(ast.parse("def f(x: float, *rest, n=3): ...").body[0])
    ('x, *rest, n=3', 'x, *rest, n=n')
    """
    given = copy.deepcopy(node.args)
    for one in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
        if one is not None:
            one.annotation = None
    passed = [one.arg for one in (*given.posonlyargs, *given.args)]
    if given.vararg is not None:
        passed.append(f"*{given.vararg.arg}")
    passed += [f"{one.arg}={one.arg}" for one in given.kwonlyargs]
    if given.kwarg is not None:
        passed.append(f"**{given.kwarg.arg}")
    return ast.unparse(given), ", ".join(passed)


def fresh(name: str, text: str) -> str:
    """Returns a name that does not stand in a text, with underscores behind it where it does."""
    words = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    words |= {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    words |= {node.arg for node in ast.walk(ast.parse(text)) if isinstance(node, ast.arg)}
    while name in words:
        name += "_"
    return name


def with_import(module: ModuleText, statement: str) -> ModuleText:
    """Puts an import in front of a module, where it does not stand there yet."""
    if statement in module.text.splitlines():
        return module
    first = module.text.partition("\n")[0]
    apart = not first.startswith(("import ", "from "))
    text = statement + ("\n\n\n" if apart else "\n") + module.text
    return ModuleText(text, (None,) * (3 if apart else 1) + module.lines)


def with_function(module: ModuleText, text: str) -> ModuleText:
    """Puts a definition of ours behind a module; no line of it is the user's."""
    added = "\n\n" + text.rstrip("\n") + "\n"
    return ModuleText(module.text + added, module.lines + (None,) * added.count("\n"))
