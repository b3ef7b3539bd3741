"""The command line: `jitmagic compare`, `jitmagic devices`, `jitmagic explain`, `jitmagic lint`, `jitmagic diff`,
`jitmagic render`.

Exit codes: 0 answered (lint: nothing found; diff: the same), 1 the baseline itself failed (lint, diff: something
found), 2 wrong use, 130 a second interrupt, 141 the reader went away.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from jitmagic import __version__, terminal
from jitmagic.advice.purpose import KEPT, NEEDS, PLACES
from jitmagic.errors import JitmagicError

if TYPE_CHECKING:
    from jitmagic.capture.resized import Resized
    from jitmagic.capture.workload import Workload

ANSWERED, FAILED, MISUSED, INTERRUPTED, NO_READER = 0, 1, 2, 130, 141

STDOUT = "-"


class Misuse(Exception):
    """The command cannot be carried out as it was given; the text says why and what to write instead."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments without the program's name; those of the process by default.
    """
    try:
        arguments = parser().parse_args(argv)
    except SystemExit as exit_:  # argparse has said what is wrong, or shown its help
        return exit_.code if isinstance(exit_.code, int) else ANSWERED
    try:
        code = arguments.command(arguments)
        sys.stdout.flush()
        return code
    except Misuse as error:
        _complain(str(error))
        return MISUSED
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # `jitmagic … | head`: what Python would still flush at its end has no reader (Python docs, "Note on SIGPIPE").
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO_READER


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the whole command line; `docs/options.md` is made from it too."""
    parser = argparse.ArgumentParser(
        prog="jitmagic",
        description="Would Numba, JAX, PyTorch or CuPy make this NumPy function faster here, and is it still right?",
    )
    parser.add_argument("--version", action="version", version=f"jitmagic {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    compare = commands.add_parser(
        "compare",
        help="compare a function of a file with its variants",
        description="Runs the file's set-up, and compares the call with its variants.",
        epilog="example: jitmagic compare model.py::step --call 'step(x, 0.1)' --backends numba,jax --html result.html",
    )
    compare.add_argument("target", metavar="FILE[::FUNCTION]", help="a Python file, and the function in it")
    compare.add_argument("--call", metavar="EXPR", help="the call to compare, e.g. 'fn(x)'; else the file's last call")
    for short, flag, words in (
        ("-b", "--backends", "backends to try, e.g. numba,jax (all that are here)"),
        ("-d", "--devices", "devices to use, e.g. cpu,cuda:0 (all that are here)"),
    ):
        compare.add_argument(short, flag, metavar="NAMES", action="append", type=_names, help=words)
    compare.add_argument("--budget", metavar="SECONDS", type=float, help="seconds to spend on timing (10)")
    margin = "per cent to which every speedup is to be known; then the timing ends (15)"
    compare.add_argument("--margin", metavar="PERCENT", type=float, help=margin)
    compare.add_argument("--timeout", metavar="SECONDS", type=float, help="seconds until a variant is given up (60)")
    compare.add_argument("--dtype", choices=("float32", "float64"), help="cast the floating arguments first")
    compare.add_argument("--threads", metavar="COUNTS", type=_names, help="CPU threads to allow, e.g. 1,all for both")
    cold = "empty the processor's caches before every timed call"
    compare.add_argument("--cold", action="store_true", default=None, help=cold)
    for kind, metavar, words in (
        ("grad", "ARG", "compare the derivative of a number by this argument"),
        ("jacobian", "ARG", "compare the derivatives of an array by this argument"),
        ("hessian", "ARG", "compare the second derivatives of a number by this argument"),
        ("vmap", "ARG[:AXIS]", "compare the function for each slice of this argument, e.g. x or x:1"),
    ):
        compare.add_argument(f"--{kind}", metavar=metavar, help=words)
    compare.add_argument("--sweep", metavar="n=1e3:1e7:9", help="other sizes too: from, to, how many; or a list")
    compare.add_argument(
        "--python",
        metavar="BACKEND=PATH",
        action="append",
        type=_interpreter,
        help="another interpreter for a backend, e.g. jax=/envs/jax/bin/python; may stand several times",
    )
    compare.add_argument("--calls", metavar="N", type=_count, help="recommend for so many calls, the build among them")
    compare.add_argument("--need", choices=NEEDS, help="recommend among what offers this too")
    compare.add_argument("--deploy", choices=tuple(PLACES), help="recommend for where it will run")
    compare.add_argument("--keep", choices=KEPT, help="recommend the fewest changed lines before the highest speed")
    compare.add_argument(
        "--on",
        metavar="ADDRESS",
        action="append",
        help="another machine to run it on too: ssh://host, or a Dask scheduler's tcp://host:8786; may be repeated",
    )
    compare.add_argument("--json", metavar="OUT", help="write the record there; - is the standard output")
    compare.add_argument("--save", metavar="FILE|DIR", help="keep the record: a file, or a folder for a dated name")
    compare.add_argument("--html", metavar="OUT", help="write a page with charts there; - is the standard output")
    compare.add_argument("--notebook", metavar="OUT", help="write a notebook with a cell for each variant there")
    compare.add_argument("--script", metavar="OUT", help="write a module with the variants there; it needs no jitmagic")
    compare.add_argument("--code", metavar="NAME", help="show the source of this variant, or of all")
    compare.add_argument("-q", "--quiet", action="store_true", help="show neither the result nor the progress")
    compare.set_defaults(command=_compare)

    devices = commands.add_parser(
        "devices",
        help="what is here, what each backend can use, and what mends what cannot",
        description="Shows this machine's devices, what each backend can use, and what mends what cannot.",
    )
    devices.add_argument("--json", action="store_true", help="as JSON")
    devices.set_defaults(command=_devices)

    explain = commands.add_parser(
        "explain",
        help="what a gotcha's code means",
        description="Shows the page of a gotcha: what happens, why, and what to write instead.",
        epilog="example: jitmagic explain NB-OVERLAP",
    )
    explain.add_argument("code", metavar="CODE", nargs="?", help="as it stands in a result; without it, all are listed")
    explain.set_defaults(command=_explain)

    lint = commands.add_parser(
        "lint",
        help="what may go wrong, from the source alone",
        description="Looks for gotchas in the functions that use NumPy, without running anything.",
        epilog="exit codes: 0 nothing found, 1 something found, 2 wrong use. A comment `# jitmagic: ignore[CODE]` on a "
        "line, or on that of a def, leaves a gotcha out. example: jitmagic lint model.py --backends numba",
    )
    lint.add_argument("files", metavar="FILE", nargs="+", help="Python files or notebooks")
    lint.add_argument("-b", "--backends", metavar="NAMES", action="append", type=_names, help="whose gotchas (all)")
    lint.add_argument("--format", choices=("text", "json", "sarif"), default="text", help="how to write them (text)")
    lint.add_argument("--all", action="store_true", help="also those that need special values, such as a NaN")
    lint.set_defaults(command=_lint)

    diff = commands.add_parser(
        "diff",
        help="what changed between two records",
        description="Sets two saved records side by side: what differs around them, then each variant.",
        epilog="exit codes: 0 the answers are the same, 1 they differ (a verdict, a time by more than both clocks "
        "allow, the call or its source), 2 wrong use",
    )
    diff.add_argument("a", metavar="A.json", help="the older record; - is the standard input")
    diff.add_argument("b", metavar="B.json", help="the newer record")
    diff.add_argument("--json", action="store_true", help="as JSON")
    diff.set_defaults(command=_diff)

    render = commands.add_parser("render", help="show a saved record", description="Makes the views of a saved record.")
    render.add_argument("record", metavar="RECORD.json", help="a record from `compare --json`; - is the standard input")
    render.add_argument("--html", metavar="OUT", help="write a page with charts there; - is the standard output")
    render.add_argument("--notebook", metavar="OUT", help="write a notebook with a cell for each variant there")
    render.add_argument("--script", metavar="OUT", help="write a module with the variants there; it needs no jitmagic")
    render.add_argument("--text", action="store_true", help="show the text, which is what happens without an OUT")
    render.add_argument("--code", metavar="NAME", help="show the source of this variant, or of all")
    render.set_defaults(command=_render)

    return parser


def _names(text: str) -> list[str]:
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found:
        raise argparse.ArgumentTypeError("one name or more are needed, separated by commas")
    return found


def _count(text: str) -> int:
    from jitmagic.magic.options import BY_FLAG, OptionError, converted

    try:
        return int(converted(BY_FLAG["--calls"], "--calls", text))
    except OptionError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _interpreter(text: str) -> dict[str, str]:
    from jitmagic.magic.options import OptionError, interpreter

    try:
        return interpreter(text, "--python")
    except OptionError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _compare(arguments: argparse.Namespace) -> int:
    path, function = _target(arguments.target)
    outputs = _outputs({"--json": arguments.json, **_files(arguments)})
    to_stdout = STDOUT in (arguments.json, *_files(arguments).values())
    given = {
        "backends": _flat(arguments.backends),
        "devices": _flat(arguments.devices),
        "budget": arguments.budget,
        "margin": arguments.margin,
        "timeout": arguments.timeout,
        "dtype": arguments.dtype,
        "sweep": arguments.sweep,
        "cold": arguments.cold,
        "threads": arguments.threads and tuple(arguments.threads),
        "calls": arguments.calls,
        "need": arguments.need and (arguments.need,),
        "deploy": arguments.deploy,
        "keep": arguments.keep,
        "on": arguments.on and tuple(arguments.on),
        "python": {name: path for one in arguments.python or () for name, path in one.items()} or None,
    }

    from jitmagic.comparison import Options, compare_workload
    from jitmagic.options import asked_transform
    from jitmagic.transforms.checks import check
    from jitmagic.transforms.transform import TransformError

    try:
        given["transform"] = asked_transform(vars(arguments))
        options = Options(**{name: value for name, value in given.items() if value is not None})
    except ValueError as error:
        raise Misuse(str(error)) from None
    # What the user's file prints must not run into a record that goes the same way.
    with contextlib.redirect_stdout(sys.stderr) if to_stdout else contextlib.nullcontext():
        workload, resized = _captured(path, function, arguments.call, options.sweep)
    if options.transform is not None:
        try:
            check(options.transform, workload)
        except TransformError as error:
            raise Misuse(str(error)) from None
    line = None if arguments.quiet else terminal.ProgressLine()
    try:
        comparison = compare_workload(workload, options, line, resized)
    except JitmagicError as error:
        _clear(line)
        _complain(str(error))
        return FAILED
    except BaseException:
        _clear(line)
        raise
    _clear(line)

    if arguments.save is not None:
        from jitmagic.report import saving

        try:
            saved = saving.save(comparison.record, arguments.save)
        except OSError as error:
            raise Misuse(f"--save {arguments.save}: it cannot be written: {_reason(error)}") from None
        if not arguments.quiet:
            _complain(f"saved as {saved}")
    if "--json" in outputs:
        outputs.pop("--json").write(comparison.to_json(indent=2) + "\n")
    _write_files(comparison.record, outputs)
    code, complaint = _code(arguments.code, comparison.record)
    if not arguments.quiet and not to_stdout:
        _print(comparison.to_text(width=terminal.width(), color=terminal.wants_colour(sys.stdout), code=code))
    if complaint:
        raise Misuse(complaint)
    return ANSWERED


def _devices(arguments: argparse.Namespace) -> int:
    from jitmagic import devices
    from jitmagic.report import front_end

    detected = devices.detect()
    detected["notes"] += filter(None, [front_end.not_built()])
    if arguments.json:
        import json

        _print(json.dumps(detected, indent=2))
    else:
        _print(devices.table(detected, width=terminal.width()))
    return ANSWERED


def _explain(arguments: argparse.Namespace) -> int:
    from jitmagic.gotchas.registry import all_rules, explain

    if arguments.code is None:
        _print("\n".join(f"{code:<18} {rule.title}" for code, rule in all_rules().items()))
        return ANSWERED
    try:
        _print(explain(arguments.code))
    except LookupError as error:
        raise Misuse(str(error.args[0])) from None
    return ANSWERED


def _lint(arguments: argparse.Namespace) -> int:
    from jitmagic.gotchas import lint

    known = lint.backends_with_rules()
    backends = _flat(arguments.backends) or known
    unknown = [name for name in backends if name not in known]
    if unknown:
        raise Misuse(f"there are no gotchas of {unknown[0]!r}; choose from {', '.join(known)}")
    found: list[lint.Found] = []
    troubles: list[str] = []
    for path in arguments.files:
        try:
            found += lint.lint_file(path, backends, arguments.all, troubles)
        except lint.LintError as error:
            raise Misuse(str(error)) from None
    if arguments.format == "json":
        _print(lint.to_json(found))
    elif arguments.format == "sarif":
        _print(lint.to_sarif(found, __version__))
    else:
        _print(lint.to_text(found))
    for trouble in troubles:
        _complain(trouble, prefix="! ")
    return FAILED if found else ANSWERED


def _diff(arguments: argparse.Namespace) -> int:
    from jitmagic.report import two_runs

    if arguments.a == STDOUT and arguments.b == STDOUT:
        raise Misuse("two records are compared, and both cannot come from the standard input")
    a, b = _loaded(arguments.a), _loaded(arguments.b)
    if arguments.json:
        import json

        _print(json.dumps(two_runs.to_json(a, b), indent=2))
    else:
        _print(two_runs.to_text(a, b, width=terminal.width()))
    return ANSWERED if two_runs.compare_runs(a, b).same else FAILED


def _loaded(path: str) -> dict[str, Any]:
    """Reads a record from a file, or from the standard input."""
    try:
        if path == STDOUT:
            text = sys.stdin.read()
        else:
            with open(path, encoding="utf-8") as file:
                text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"the record {path} cannot be read: {_reason(error)}") from None

    from jitmagic.report import record

    try:
        return record.load(text)
    except (ValueError, JitmagicError) as error:
        raise Misuse(f"{path} holds no record that this version can show: {error}") from None


def _render(arguments: argparse.Namespace) -> int:
    outputs = _outputs(_files(arguments))
    loaded = _loaded(arguments.record)
    if outputs:
        _write_files(loaded, outputs)
        if STDOUT in _files(arguments).values() or not arguments.text:
            return ANSWERED

    from jitmagic.report import text as text_view

    code, complaint = _code(arguments.code, loaded)
    _print(text_view.to_text(loaded, width=terminal.width(), color=terminal.wants_colour(sys.stdout), code=code))
    if complaint:
        raise Misuse(complaint)
    return ANSWERED


def _files(arguments: argparse.Namespace) -> dict[str, str | None]:
    return {"--html": arguments.html, "--notebook": arguments.notebook, "--script": arguments.script}


def _write_files(record: dict[str, Any], outputs: Mapping[str, _Output]) -> None:
    """Writes the views of a record that were asked for."""
    for flag, output in outputs.items():
        try:
            text = _view(flag, record)
        except ValueError as error:
            raise Misuse(f"{flag} {output.path}: {error}") from None
        output.write(text)


def _view(flag: str, record: dict[str, Any]) -> str:
    if flag == "--html":
        from jitmagic.report import web_page

        return web_page.to_page(record)
    if flag == "--notebook":
        from jitmagic.report import notebook_file

        return notebook_file.to_notebook(record)
    from jitmagic.report import script_file

    return script_file.to_script(record)


def _target(text: str) -> tuple[str, str | None]:
    """Splits ``FILE[::FUNCTION]`` from the right: the colon of ``C:\\model.py`` is no separator."""
    path, separator, function = text.rpartition("::")
    if not separator or os.path.exists(text):
        path, function = text, ""
    elif not function.isidentifier():
        raise Misuse(f"{function!r} is no function's name; write FILE::FUNCTION, e.g. model.py::step")
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise Misuse(f"the file {path} cannot be read: {_reason(error)}") from None
    return path, function or None


def _captured(
    path: str, function: str | None, call: str | None, sweep: str | None
) -> tuple[Workload, Resized | None]:
    from jitmagic.capture.file import resized_from_file

    try:
        return resized_from_file(path, function, call, sweep)
    except JitmagicError as error:
        for line in _users_traceback(error.__cause__, path):
            _complain(line, prefix="")
        number = getattr(error, "line", None)
        told = str(error) if number is None or f"line {number}" in str(error) else f"line {number}: {error}"
        raise Misuse(told if path in told else f"{path}: {told}") from None


def _users_traceback(error: BaseException | None, path: str) -> list[str]:
    """Lays out an exception with those of its frames that are in the user's file; empty where none is."""
    if error is None:
        return []
    told = traceback.TracebackException.from_exception(error)
    own = [frame for frame in told.stack if _same_file(frame.filename, path)]
    if not own:
        return []
    told.stack = traceback.StackSummary.from_list(own)
    told.__cause__ = told.__context__ = None
    return "".join(told.format()).splitlines()


def _same_file(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _flat(groups: list[list[str]] | None) -> tuple[str, ...] | None:
    return tuple(name for group in groups for name in group) if groups else None


def _code(asked: str | None, record: dict[str, Any]) -> tuple[str | None, str | None]:
    """Checks the name for ``--code`` against a record; returns what to show, and what to complain of."""
    if asked is None or asked == "all":
        return asked, None
    names = [variant["name"] for variant in (record["baseline"], *record["variants"]) if variant]
    if asked in names:
        return asked, None
    return None, f"--code {asked}: there is no such variant; there are all, {', '.join(names)}"


class _Output:
    """A place that a view is written to: a file, replaced at once and whole, or the standard output."""

    def __init__(self, flag: str, path: str) -> None:
        self.flag = flag
        self.path = path
        # A link stays a link: what it points to is replaced.
        self.target = os.path.realpath(path)
        # A device or a pipe (/dev/null, >(…)) cannot be replaced.
        self.special = os.path.exists(self.target) and not os.path.isfile(self.target)

    def check(self) -> None:
        """Finds out before any work whether the place can be written."""
        if self.path == STDOUT:
            return
        folder = os.path.dirname(self.target)
        if os.path.isdir(self.target):
            raise Misuse(f"{self.flag} {self.path}: this is a folder; give a file's name")
        if os.path.exists(self.target) and not os.access(self.target, os.W_OK):
            raise Misuse(f"{self.flag} {self.path}: the file is there and may not be written")
        if self.special:
            return
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise Misuse(f"{self.flag} {self.path}: nothing can be written in {folder}: {_reason(error)}") from None

    def write(self, text: str) -> None:
        """Writes the whole text; a reader sees the old file or the new one."""
        if self.path == STDOUT:
            _print(text)
            return
        try:
            if self.special:
                with open(self.target, "w", encoding="utf-8") as file:
                    file.write(text)
                return
            with _replacing(self.target) as file:
                file.write(text)
        except OSError as error:
            raise Misuse(f"{self.flag} {self.path} could not be written: {_reason(error)}") from None


@contextlib.contextmanager
def _replacing(path: str) -> Iterator[TextIO]:
    """Opens a new file beside ``path`` that takes its place at the end, and goes away if something fails."""
    draft = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{os.getpid()}")
    try:
        # Not tempfile's: that would be readable by its owner alone.
        with open(draft, "x", encoding="utf-8", newline="\n") as file:
            yield file
        if os.path.exists(path):
            os.chmod(draft, os.stat(path).st_mode & 0o777)
        os.replace(draft, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft)
        raise


def _outputs(asked: dict[str, str | None]) -> dict[str, _Output]:
    outputs = {flag: _Output(flag, path) for flag, path in asked.items() if path}
    if sum(output.path == STDOUT for output in outputs.values()) > 1:
        raise Misuse(f"{' and '.join(outputs)} cannot both go to the standard output")
    files = [output.target for output in outputs.values() if output.path != STDOUT and not output.special]
    if len(set(files)) < len(files):
        raise Misuse(f"{' and '.join(outputs)} name the same file {files[0]}")
    for output in outputs.values():
        output.check()
    return outputs


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _clear(line: terminal.ProgressLine | None) -> None:
    if line is not None:
        line.clear()


def _print(text: str) -> None:
    _write(sys.stdout, text.removesuffix("\n") + "\n")


def _complain(text: str, prefix: str = "jitmagic: ") -> None:
    _write(sys.stderr, f"{prefix}{text}\n")


def _write(stream: TextIO, text: str) -> None:
    # A Windows console or a C locale lacks letters such as µ, and would raise.
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding))
