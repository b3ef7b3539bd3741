"""Captures a function from a Python file, by running the file's set-up and not the compared call."""

from __future__ import annotations

import linecache
import os
import sys
import tokenize
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jitmagic.capture.call import from_call
from jitmagic.capture.cell import cut_before, plan
from jitmagic.capture.resized import SetUp
from jitmagic.capture.workload import Workload
from jitmagic.errors import CaptureError
from jitmagic.measure.sweep.sizes import parse


def from_file(path: str | os.PathLike[str], function: str | None = None, call: str | None = None) -> Workload:
    """Captures the call alone; see :func:`resized_from_file`."""
    return resized_from_file(path, function, call)[0]


def resized_from_file(
    path: str | os.PathLike[str], function: str | None = None, call: str | None = None, sweep: str | None = None
) -> tuple[Workload, SetUp | None]:
    """Runs a file's set-up as ``__main__`` would run it, and captures the call to compare.

    The set-up ends at the compared call: what follows it in the file, but for definitions and imports, is not run.

    Parameters
    ----------
    path : path
        A ``.py`` file.
    function : str, optional
        The function to compare; without it, the rules of a cell choose.
    call : str, optional
        The call to compare, e.g. ``"fn(x)"``; evaluated after the set-up.
    sweep : str, optional
        The sizes to capture it at too, e.g. ``"n=1e3:1e7:9"``.

    Raises
    ------
    CaptureError
        Where the file cannot be read or run (``__cause__`` is then the exception), or the call not be captured.
    """
    file = Path(path)
    if file.suffix == ".ipynb":
        raise CaptureError(f"{file} is a notebook: open it and use %%jitcompare, or save it as a .py file.")
    try:
        with tokenize.open(file) as opened:
            source = opened.read()
    except OSError as error:
        raise CaptureError(f"{file} cannot be read: {error}") from error
    except (SyntaxError, UnicodeDecodeError) as error:
        raise CaptureError(
            f"{file} cannot be read: {error}; save it as UTF-8, or name its encoding in the first line, "
            "e.g. # coding: latin-1"
        ) from error
    name = str(file.resolve())
    found = plan(source, call, function=function, origin=name)
    if function is not None and call is None and function not in found.functions and found.call is None:
        defined = ", ".join(found.functions) or "none"
        raise CaptureError(f"{file} defines no function `{function}`; its functions: {defined}.")
    setup = found.setup if found.call_line is None else cut_before(source, found.call_line)
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=name, __builtins__=__builtins__)
    # a name that is called with arguments of its parameters' names, where there is no call
    chosen = function if function is not None and found.call is None else found.function
    line = None if function is not None and found.call is None else found.call_line
    linecache.checkcache(name)
    set_up = None
    if sweep is not None:
        set_up = SetUp(
            parse(sweep).parameter,
            module.__dict__,
            source=setup,
            call=found.call,
            function=chosen,
            sources=found.definitions,
            line=line,
            filename=name,
            where=lambda: _as_main(module, file),
        )
    _run(file, setup, module)
    workload = from_call(found.call, module.__dict__, sources=found.definitions, function=chosen, line=line)
    if set_up is not None and sweep is not None:
        set_up.settle(sweep)
    return workload, set_up


def _run(file: Path, setup: str, module: types.ModuleType) -> None:
    """Runs the set-up in a new module that is ``__main__`` for as long as it runs."""
    name = str(file.resolve())
    code = compile(setup, name, "exec", dont_inherit=True)
    with _as_main(module, file):
        try:
            exec(code, module.__dict__)
        except (Exception, SystemExit) as error:  # the user's own code may raise anything
            line = _line_in(error, name)
            told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise CaptureError(f"the set-up of {file} failed at line {line}: {told}", line) from error


@contextmanager
def _as_main(module: types.ModuleType, file: Path) -> Iterator[None]:
    before_main = sys.modules.get("__main__")
    before_path, before_argv = list(sys.path), list(sys.argv)
    sys.modules["__main__"] = module
    sys.path.insert(0, str(file.resolve().parent))
    sys.argv[:] = [str(file)]
    try:
        yield
    finally:
        sys.path[:] = before_path
        sys.argv[:] = before_argv
        if before_main is not None:
            sys.modules["__main__"] = before_main


def _line_in(error: BaseException, name: str) -> int | None:
    line = None
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == name:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
