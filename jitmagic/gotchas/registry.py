"""The registry of gotcha rules: one small rule a trap, found by its file, documented in its docstring.

A rule is a function that takes a :class:`~jitmagic.gotchas.context.Context` and yields notes, under the decorator
:func:`rule`. Its docstring is its page, with the headings of :data:`HEADINGS`::

    @rule("JX-PRINT", severity="silent")
    def prints(ctx):
        \"\"\"A print runs once, while JAX traces.

        What happens: ...
        Why: ...
        Example:
            print(x)
        Instead:
            jax.debug.print("{}", x)
        See: https://...
        \"\"\"
        for effect in ctx.effects.of("print"):
            yield ctx.gotcha(effect.node, ctx.status(effect.node), "...", "...")

    @prints.finding
    def seen(ctx, finding): ...

A rule of another package, or of a notebook's cell, also says whom it concerns: ``backend="jax"``. Its code begins with
letters of its own. Packages name the module that holds their rules as an entry point of the group ``jitmagic.gotchas``.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

from jitmagic.capture.workload import Workload
from jitmagic.gotchas.context import CONFIRMED, NOT_SEEN, POSSIBLE, Context, Derived, Finding, Note
from jitmagic.gotchas.diagnostic import SEVERITIES, Gotcha
from jitmagic.gotchas.watch import Watch
from jitmagic.observe.facts import Observation
from jitmagic.plugins import GOTCHAS, plugins, worded

Hook = Callable[[Context], Iterable[Note]]
FindingHook = Callable[[Context, Finding], Iterable[Note]]

HEADINGS = ("What happens", "Why", "Example", "Instead", "See")
BACKENDS = {"NB": "numba", "JX": "jax", "PT": "torch", "CP": "cupy", "BM": "all", "GP": "all", "AD": "all",
            "TP": "jax"}  # fmt: skip
KINDS = ("structure", "values", "dtype", "shape", "mutated", "exception", "identity")
SESSION = "__main__"
"""The module of what was written in a notebook or a script."""
_CODE = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)+")
_RULES: dict[str, Rule] = {}
_FAULTS: list[str] = []
_STATUS_ORDER = {CONFIRMED: 0, NOT_SEEN: 1, POSSIBLE: 2}


@dataclass(frozen=True)
class Rule:
    """One trap.

    Attributes
    ----------
    code, backend, severity : str
        ``"JX-PRINT"``, ``"jax"``, one of :data:`~jitmagic.gotchas.diagnostic.SEVERITIES`.
    title, what, why, example, instead : str
        The page: a sentence, what happens, why, the code that meets it, the code that does not.
    links : tuple of str
        Documentation; the first is the one a gotcha shows.
    handled : bool
        Whether the generated variants avoid it by construction.
    explains : tuple of str
        The kinds of finding that it can be the cause of.
    signs : tuple of str
        Regular expressions of exception texts that mean it.
    probes : tuple of str
        Names of the probes (:mod:`jitmagic.verify.probes`) that show it.
    unseen : str
        Why no place of a source can be named for it, and what jitmagic does about it instead; empty for all others.
    origin : str
        The package that it comes from, with its version; the module, where that is no plug-in; "" for jitmagic's own.
    static, observed, finding, probed : callable or None
        Hooks: on the source, on observed facts, on what the verifier found, on what a probe found (without it a probe
        confirms the places that the others name).
    """

    code: str
    backend: str
    severity: str
    title: str
    what: str
    why: str
    example: str
    instead: str
    links: tuple[str, ...]
    handled: bool = False
    explains: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()
    unseen: str = ""
    origin: str = ""
    static: Hook | None = None
    observed: Hook | None = None
    finding: FindingHook | None = None
    probed: FindingHook | None = None


@dataclass(frozen=True)
class Registration:
    """A registered rule's handle: decorates further hooks of the same rule."""

    code: str

    def observed(self, hook: Hook) -> Hook:
        """Registers a hook on observed facts."""
        _RULES[self.code] = replace(_RULES[self.code], observed=hook)
        return hook

    def finding(self, hook: FindingHook) -> FindingHook:
        """Registers a hook on what the verifier found."""
        _RULES[self.code] = replace(_RULES[self.code], finding=hook)
        return hook

    def probed(self, hook: FindingHook) -> FindingHook:
        """Registers a hook on what a probe found."""
        _RULES[self.code] = replace(_RULES[self.code], probed=hook)
        return hook


def rule(
    code: str,
    *,
    severity: str,
    backend: str | None = None,
    hook: str = "static",
    handled: bool = False,
    explains: tuple[str, ...] = (),
    signs: tuple[str, ...] = (),
    probes: tuple[str, ...] = (),
) -> Callable[[Hook], Registration]:
    """Registers the decorated function as a rule.

    Parameters
    ----------
    code : str
        Unique; the first two letters of jitmagic's own name the backend (:data:`BACKENDS`).
    severity : str
    backend : str, optional
        Whom a rule of others concerns: a backend's name, or ``"all"``.
    hook : str
        ``"static"`` if it reads the source first, ``"observed"`` if it reads facts first.
    handled, explains, signs, probes
        As in :class:`Rule`.

    Raises
    ------
    ValueError
        For a code that is taken, a word that is none of ours, or a docstring without all the headings.
    """
    if hook not in ("static", "observed"):
        raise ValueError(f"{code}: unknown hook {hook!r}")
    if set(explains) - set(KINDS):
        raise ValueError(f"{code}: findings are of the kinds {KINDS}, not {explains}")

    def register(function: Hook) -> Registration:
        bare = _made(code, severity, handled, backend, function)
        bare = replace(bare, explains=explains, signs=signs, probes=probes)
        seen = hook == "observed"
        _RULES[code] = replace(bare, observed=function) if seen else replace(bare, static=function)
        return Registration(code)

    return register


def unseen(
    code: str,
    *,
    severity: str,
    why: str,
    backend: str | None = None,
    handled: bool = False,
    signs: tuple[str, ...] = (),
) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Registers a rule that names no place: the decorated function has the page as its docstring, and does nothing.

    Parameters
    ----------
    code, severity, backend, handled, signs
        As for :func:`rule`.
    why : str
        Why no place of a source can be named for it; ``Rule.unseen``.

    Raises
    ------
    ValueError
        As :func:`rule` does.
    """

    def register(page: Callable[[], None]) -> Callable[[], None]:
        _RULES[code] = replace(_made(code, severity, handled, backend, page), signs=signs, unseen=why)
        return page

    return register


def _made(code: str, severity: str, handled: bool, backend: str | None, written: Callable[..., object]) -> Rule:
    """Checks what every rule has, and makes one of the page in a function's docstring."""
    module = written.__module__
    own = module.partition(".")[0] == "jitmagic"
    if own:
        backend = BACKENDS.get(code[:2])
    if code in _RULES and not module == _RULES[code].origin == SESSION:  # a notebook's cell may run again
        raise ValueError(f"the rule {code} is registered twice")
    if backend is None or severity not in SEVERITIES:
        asked = "" if own else "; a rule of your own says whom it concerns, as backend='jax' or backend='all'"
        raise ValueError(f"{code}: unknown backend prefix, or severity {severity!r}{asked}")
    if not own and (code.partition("-")[0] in BACKENDS or not _CODE.fullmatch(code)):
        raise ValueError(
            f"{code}: a rule of your own has a code of capitals, digits and hyphens, such as LAB-UNITS, and begins "
            f"with none of {', '.join(BACKENDS)}, which are jitmagic's"
        )
    page = _page(code, written.__doc__ or "")
    return Rule(
        code, backend, severity, page["title"], page["What happens"], page["Why"], page["Example"],
        page["Instead"], tuple(page["See"].split()), handled, origin="" if own else module,
    )  # fmt: skip


def all_rules() -> Mapping[str, Rule]:
    """Returns every rule by its code, sorted."""
    _load()
    return MappingProxyType(dict(sorted(_RULES.items())))


def faults() -> tuple[str, ...]:
    """Returns a sentence for each package whose rules could not be taken in."""
    _load()
    return tuple(_FAULTS)


def find(
    workload: Workload, observed: Observation, troubles: list[str] | None = None, derived: Derived | None = None
) -> tuple[Gotcha, ...]:
    """Finds the gotchas of a workload, the worst first, then by line; duplicates are merged.

    Lines are the user's. What a watched run confirmed stands before what is merely possible.

    Parameters
    ----------
    workload, observed
    troubles : list of str, optional
        Takes a sentence for each error of our own by which rules could not look; the other rules go on. Without it,
        the first such error is raised.
    derived : Derived, optional
        The derivative that was asked for.
    """
    watch = Watch(troubles)
    found: list[Gotcha] = []
    with watch.over("every rule"):
        context = Context(workload, observed, derived)
        for one in all_rules().values():
            with watch.over(one.code, one.origin):
                found += _of_rule(context, one)
    watch.report()
    if troubles is not None:
        troubles += [fault for fault in faults() if fault not in troubles]
    return _sorted(found)


def blame(
    workload: Workload,
    observed: Observation,
    backend: str,
    finding_text: str,
    kind: str,
    troubles: list[str] | None = None,
    probe: str = "",
    derived: Derived | None = None,
) -> tuple[Gotcha, ...]:
    """Returns the gotchas that probably explain what the verifier found for a variant, as *confirmed*.

    Parameters
    ----------
    backend : str
        Whose variant it is.
    finding_text : str
        The finding, e.g. "the result is float64 where NumPy gives float32", or an exception's type and message.
    kind : str
        One of :data:`KINDS`.
    troubles : list of str, optional
        As for :func:`find`.
    probe : str
        The name of the probe that it was found with; empty for the user's own arguments. A probe is blamed only on
        rules
        that name it.
    derived : Derived, optional
        The derivative that was asked for.
    """
    if kind not in KINDS:
        raise ValueError(f"a finding is of the kinds {KINDS}, not {kind!r}")
    watch = Watch(troubles)
    finding = Finding(backend, kind, finding_text, probe)
    found: list[Gotcha] = []
    with watch.over("every rule"):
        context = Context(workload, observed, derived)
        for one in all_rules().values():
            if one.backend in (backend, "all"):
                with watch.over(one.code, one.origin):
                    found += _blamed(context, one, finding) if not probe else _probed(context, one, finding)
    watch.report()
    return _sorted(found)


def _blamed(context: Context, one: Rule, finding: Finding) -> list[Gotcha]:
    if one.finding is not None:
        return [_gotcha(context, one, note) for note in one.finding(context, finding)]
    if finding.kind == "exception":
        if not any(re.search(sign, finding.text) for sign in one.signs):
            return []
        places = [replace(gotcha, status=CONFIRMED, handled=False) for gotcha in _of_rule(context, one)]
        return places or [_gotcha(context, one, Note(None, CONFIRMED, one.what, _advice(one), False))]
    if finding.kind in one.explains:
        return [replace(gotcha, status=CONFIRMED) for gotcha in _of_rule(context, one) if not gotcha.handled]
    return []


def _probed(context: Context, one: Rule, finding: Finding) -> list[Gotcha]:
    """Confirms a rule's places by a probe that shows it."""
    if finding.probe not in one.probes or finding.kind not in one.explains:
        return []
    if one.probed is not None:
        return [_gotcha(context, one, note) for note in one.probed(context, finding)]
    return [replace(gotcha, status=CONFIRMED, handled=False) for gotcha in _of_rule(context, one)]


def explain(code: str) -> str:
    """Returns a rule's page as Markdown.

    Raises
    ------
    LookupError
        If there is no such rule; the message names the closest codes.
    """
    rules = all_rules()
    if code.upper() not in rules:
        near = [known for known in rules if known.startswith(code.upper()[:4])] or list(rules)[:5]
        raise LookupError(f"there is no gotcha {code!r}; did you mean {', '.join(near)}?")
    one = rules[code.upper()]
    handled = "The generated variants take care of it." if one.handled else "It has to be looked after by hand."
    handled = f"No place in a source can be named for it: {one.unseen}." if one.unseen else handled
    handled += f" This rule comes from {worded_origin(one.origin)}." if one.origin else ""
    links = "\n".join(f"- <{link}>" for link in one.links)
    return (
        f"# {one.code}: {one.title}\n\nBackend: {one.backend}. Severity: {one.severity}. {handled}\n\n"
        f"## What happens\n\n{one.what}\n\n## Why\n\n{one.why}\n\n"
        f"## Example\n\n```python\n{one.example}\n```\n\n## Instead\n\n```python\n{one.instead}\n```\n\n"
        f"## References\n\n{links}\n"
    )


def _of_rule(context: Context, one: Rule) -> list[Gotcha]:
    notes = [note for hook in (one.static, one.observed) if hook is not None for note in hook(context)]
    return [_gotcha(context, one, note) for note in notes]


def _gotcha(context: Context, one: Rule, note: Note) -> Gotcha:
    handled = one.handled if note.handled is None else note.handled
    message = note.message
    if handled and "the variant" not in message.lower():
        message += " The variant takes care of it."
    place: tuple[int | None, int | None, int | None, int | None] = (None, None, None, None)
    if note.node is not None:
        span = context.tree.span(note.node)
        line = context.workload.module.origin_line(span.line)
        if line is not None:
            end = context.workload.module.origin_line(span.end_line)
            place = (line, span.column, end if end is not None else line, span.end_column)
    link = one.links[0]
    return Gotcha(
        one.code, one.backend, one.severity, note.status, *place, message, note.fix, handled, link,
        worded_origin(one.origin) or None,
    )  # fmt: skip


def worded_origin(origin: str) -> str:
    """Says where a rule comes from; "" for jitmagic's own."""
    return "this session" if origin == SESSION else origin


def _sorted(gotchas: Iterable[Gotcha]) -> tuple[Gotcha, ...]:
    best: dict[tuple[object, ...], Gotcha] = {}
    for gotcha in gotchas:
        key = (gotcha.code, gotcha.line, gotcha.column, gotcha.end_line, gotcha.end_column)
        if key not in best or _STATUS_ORDER[gotcha.status] < _STATUS_ORDER[best[key].status]:
            best[key] = gotcha

    def order(gotcha: Gotcha) -> tuple[object, ...]:
        unplaced = gotcha.line is None
        return SEVERITIES.index(gotcha.severity), unplaced, gotcha.line or 0, gotcha.column or 0, gotcha.code

    return tuple(sorted(best.values(), key=order))


def _advice(one: Rule) -> str:
    return f"Write instead: {' '.join(one.instead.split())}"


def _page(code: str, docstring: str) -> dict[str, str]:
    """Reads the title and the sections of a rule's docstring."""
    lines = inspect.cleandoc(docstring).splitlines()
    page = {"title": lines[0] if lines else ""}
    heading = None
    sections: dict[str, list[str]] = {}
    for line in lines[1:]:
        match = re.match(rf"({'|'.join(HEADINGS)}):\s?(.*)", line)
        if match:
            heading = match.group(1)
            sections[heading] = [match.group(2)]
        elif heading is not None:
            sections[heading].append(line)
    missing = [heading for heading in HEADINGS if not "".join(sections.get(heading, [])).strip()]
    if missing or not page["title"]:
        raise ValueError(f"{code}: the docstring lacks {missing or 'a title'}")
    for heading, body in sections.items():
        text = "\n".join(body).strip("\n")
        code_block = heading in ("Example", "Instead")
        page[heading] = inspect.cleandoc("\n" + text) if code_block else " ".join(text.split())
    return page


@cache
def _load() -> None:
    """Imports every module below this package, so that each rule registers itself; then those of other packages."""
    package = importlib.import_module("jitmagic.gotchas")
    for module in pkgutil.walk_packages(package.__path__, "jitmagic.gotchas."):
        importlib.import_module(module.name)
    for plugin in plugins(GOTCHAS):
        before = dict(_RULES)
        try:
            plugin.load()
        except Exception as error:
            # half of a package's rules would look like all of them
            _RULES.clear()
            _RULES.update(before)
            mend = f": {plugin.update}" if plugin.update else ""
            _FAULTS.append(f"the gotcha rules of {plugin.origin} could not be loaded ({worded(error)}){mend}")
            continue
        for code, one in _RULES.items():
            if one.origin == plugin.module or one.origin.startswith(f"{plugin.module}."):
                _RULES[code] = replace(one, origin=plugin.origin)
