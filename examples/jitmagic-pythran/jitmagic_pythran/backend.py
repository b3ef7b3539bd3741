"""The user's side: writes a module that has Pythran compile the function. Imports nothing but the standard library."""

from __future__ import annotations

import ast
import re
import shutil
from importlib import metadata

from jitmagic.backends.protocol import Availability, Draft, VariantRefusal
from jitmagic.capture.workload import ModuleText
from jitmagic.errors import Refusal

from jitmagic_pythran.types import NoType, type_of

HEAD = """\
import importlib.util
import tempfile

from pythran import compile_pythrancode

# Pythran compiles this module to C++; the types are those of the call that was compared.
SOURCE = '''\\
# pythran export {export}
"""

TAIL = """\
'''


def _compiled(name):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        library = compile_pythrancode(
            name, SOURCE, output_file=f"{{folder}}/{{name}}.so",
            extra_compile_args=["-O3", "-march=native", "-DUSE_XSIMD"],
        )
        spec = importlib.util.spec_from_file_location(name, library)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


{entry} = _compiled("{entry}_pythran").{entry}
"""


class PythranBackend:
    """Offers the variant `pythran`: the user's function, compiled as it is."""

    protocol = 1
    name = "pythran"
    title = "Pythran"
    runtime = "jitmagic_pythran.runtime:PythranRuntime"

    def availability(self):
        try:
            versions = {"pythran": metadata.version("pythran")}
        except metadata.PackageNotFoundError:
            return Availability(False, reason="Pythran is not installed", remedy="pip install pythran")
        if shutil.which("c++") is None and shutil.which("g++") is None and shutil.which("clang++") is None:
            return Availability(
                False, versions, "Pythran needs a C++ compiler, and there is none on the PATH",
                "install g++ or clang++ with your system's packages",
            )
        return Availability(True, versions)

    def environment(self, device):
        return {}

    # what jitmagic may ask beyond the protocol
    def threaded(self, mode):
        return False

    def drafts(self, workload, observed):
        try:
            return [_draft(workload, observed)]
        except NoType as error:
            return [VariantRefusal("pythran", "pythran", "compiled", Refusal(str(error), error.line))]

    def revise(self, workload, observed, draft, failure):
        """There is no second way to write it: the reason, with the user's line where Pythran names one."""
        place = re.search(r":(\d+):\d+", failure.message)
        line = draft.module.origin_line(int(place[1]) + HEAD.count("\n") - 1) if place else None
        if "PythranCompileError" in failure.classes:
            return Refusal("Pythran takes it, and the C++ that it writes does not compile: see its list of what it knows")
        text = failure.message.strip().splitlines() or ["no message"]
        at = f" line {line}" if line is not None else " the function"
        said = re.sub(r"^\S*:\d+:\d+:?\s*(error: )?", "", text[0])
        return Refusal(f"Pythran does not compile{at}: {said}", line)


def _draft(workload, observed):
    _check(workload, observed)
    signature = ", ".join(_types(workload))
    entry = workload.function.name
    head = HEAD.format(export=f"{entry}({signature})")
    body = workload.module.text.replace("\\", "\\\\").replace("'''", "\\'\\'\\'")
    tail = TAIL.format(entry=entry)
    lines = (*[None] * head.count("\n"), *workload.module.lines, *[None] * tail.count("\n"))
    return Draft(
        variant="pythran",
        backend="pythran",
        mode="compiled",
        form="original",
        module=ModuleText(head + body + tail, lines),
        entry=entry,
        written=observed.mutated,
        notes=(f"Compiled for {entry}({signature}): arguments of other types raise a TypeError.",),
    )


def _check(workload, observed):
    """Refuses what a compiled module of Pythran's does otherwise than NumPy."""
    if workload.needs:
        raise NoType(f"it reads {', '.join(workload.needs)} from outside: pass it as an argument")
    if observed.returns_argument in observed.mutated and observed.mutated:
        raise NoType(f"it returns its argument {observed.returns_argument} itself, and Pythran returns a new array")
    random = {name for name, path in workload.names.items() if path.startswith(("numpy.random", "random"))}
    for node in ast.walk(ast.parse(workload.module.text)):
        drawn = isinstance(node, ast.Attribute) and node.attr == "random" and isinstance(node.value, ast.Name)
        if (drawn and workload.names.get(node.value.id) == "numpy") or (isinstance(node, ast.Name) and node.id in random):
            line = workload.module.origin_line(node.lineno)
            raise NoType(f"line {line} draws random numbers, and Pythran's generator gives others than NumPy's", line)


def _types(workload):
    """Returns the type of each parameter, in the order of the signature; those left to their default are left out."""
    tree = ast.parse(workload.module.text)
    function = next(
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == workload.function.name
    )
    line = workload.module.origin_line(function.lineno)
    if function.args.vararg or function.args.kwarg or function.args.kwonlyargs:
        raise NoType(f"line {line} has *arguments or keyword-only ones, which Pythran's exports have no type for", line)
    given = dict(zip(workload.argument_names, workload.argument_values(), strict=True))
    named = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    passed = [name for name in named if name in given]
    if passed != named[: len(passed)]:
        raise NoType(f"line {line}: an argument is given behind one that is left to its default", line)
    return [type_of(name, given[name]) for name in passed]
