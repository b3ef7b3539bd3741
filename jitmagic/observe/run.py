"""Runs the user's NumPy function twice, once plain and once watched, and says what was seen.

For the NumPy worker: the function runs in this process, on arguments and globals of its own.
"""

from __future__ import annotations

import copy
import time
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jitmagic.errors import BaselineError, Refusal, Unsupported, line_in
from jitmagic.observe.facts import Observation, RaisedFact
from jitmagic.observe.instrument import FILENAME, Instrumented, instrument
from jitmagic.observe.memory import arrays_in, overlapping_pairs, share_memory
from jitmagic.observe.outside import kept_inside
from jitmagic.observe.recorder import describe
from jitmagic.observe.result import refuse_result
from jitmagic.observe.surroundings import Surroundings, watched_surroundings
from jitmagic.same_bits import same_bits, same_values

WATCH_FACTOR = 3.0
"""A watched run is taken to last at most this many plain ones."""

_IMMUTABLE = (int, float, complex, str, bytes, bool, type(None), tuple, frozenset, type)

MakeArguments = Callable[[], tuple[tuple[Any, ...], dict[str, Any]]]


@dataclass(frozen=True)
class Observed:
    """What `observe` gives: the facts, and the plain run as the reference for verification.

    Attributes
    ----------
    observation : Observation
    result : object
        What the plain run returned; None where it raised.
    args, kwargs
        Its arguments as it left them.
    """

    observation: Observation
    result: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True)
class _Run:
    seconds: float
    result: Any
    raised: RaisedFact | None
    surroundings: Surroundings
    refused: Refusal | None = None


def observe(
    text: str,
    entry: str,
    namespace: Mapping[str, Any],
    make_arguments: MakeArguments,
    labels: Sequence[str],
    *,
    limit_seconds: float = 10.0,
) -> Observed:
    """Observes one call of a function.

    Parameters
    ----------
    text : str
        The module's source (``Workload.module.text``).
    entry : str
        Name of the function in it.
    namespace : mapping of str to object
        The names that the text needs; each run gets a deep copy.
    make_arguments : callable
        Returns fresh ``(args, kwargs)`` at each call; called at most twice.
    labels : sequence of str
        One for each argument, positional ones first (``Workload.argument_names``).
    limit_seconds : float
        The watched run is left out where it could last longer than this, in seconds.

    Raises
    ------
    BaselineError
        Where the module itself cannot be run: there is no function to observe.
    ValueError
        Where labels and arguments differ in number.

    Notes
    -----
    An exception of the function itself is a fact (``Observation.raised``), and so is a failure of the watching
    (``Observation.watch_failed``). ``KeyboardInterrupt`` passes through.
    """
    args, kwargs = make_arguments()
    values = _labelled(labels, args, kwargs)
    arguments = {label: describe(value, index=True) for label, value in values.items()}
    arrays = {label: arrays_in(value) for label, value in values.items()}
    overlapping = overlapping_pairs(arrays)

    scope = _copied(namespace)
    try:
        function = _load(compile(text, FILENAME, "exec", dont_inherit=True), scope, entry)
    except Exception as error:
        raise BaselineError(
            f"the NumPy module could not be loaded: {type(error).__name__}: {error} (line {_line(error)} of its text); "
            "please check the imports and constants that the function uses"
        ) from error
    globals_before = _values(scope, namespace)
    run = _call(function, args, kwargs)
    globals_changed = _changed(globals_before, scope)

    fresh_args, fresh_kwargs = make_arguments()
    pristine = _labelled(labels, fresh_args, fresh_kwargs)
    mutated = tuple(label for label, value in values.items() if not same_bits(pristine[label], value))
    returned = arrays_in(run.result)
    observation = Observation(
        seconds=run.seconds,
        watched=False,
        result=describe(run.result) if run.raised is None else None,
        raised=run.raised,
        mutated=mutated,
        returns_argument=_same_object(values, run.result),
        # an argument's own list may hold other arrays after the call than before it
        aliases_argument=tuple(
            label for label, value in values.items() if share_memory(returned, [*arrays[label], *arrays_in(value)])
        ),
        overlapping=overlapping,
        printed=run.surroundings.printed,
        random=run.surroundings.random_moved,
        unseeded=run.surroundings.unseeded,
        globals_changed=globals_changed,
        warned=tuple(run.surroundings.warned),
        arguments=arguments,
        refused=run.refused or refuse_result(run.result),
    )
    if observation.refused is not None:
        return Observed(observation, run.result, args, kwargs)
    if run.seconds * WATCH_FACTOR > limit_seconds:
        cause = (
            f"the plain run took {run.seconds:.1f} s, so that a watched one could take {WATCH_FACTOR:g} times as long, "
            f"above the limit of {limit_seconds:g} s"
        )
        return Observed(replace(observation, watch_failed=cause), run.result, args, kwargs)
    observation = _watch(observation, run, text, entry, namespace, fresh_args, fresh_kwargs, limit_seconds)
    return Observed(observation, run.result, args, kwargs)


def _watch(
    observation: Observation,
    plain: _Run,
    text: str,
    entry: str,
    namespace: Mapping[str, Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    limit_seconds: float,
) -> Observation:
    """Adds the facts of a watched run to those of the plain one, or the reason why there are none."""
    try:
        module: Instrumented = instrument(text)
    except Unsupported as error:
        return replace(observation, watch_failed=f"line {error.refusal.line}: {error.refusal.reason}")
    except Exception as error:
        # Plain facts stand without it, and the reason is in the record.
        return replace(observation, watch_failed=f"the rewriting failed: {type(error).__name__}: {error}")
    recorder = module.recorder(limit_seconds)
    scope = _copied(namespace) | recorder.bindings(module.names)
    run = _call(_load(module.code, scope, entry), args, kwargs)
    if run.refused is not None:
        return replace(observation, refused=run.refused, repeatable=False)
    if _ending(run) != _ending(plain):
        cause = f"the watched run {_ending(run)}, the plain run {_ending(plain)}"
        return replace(observation, watch_failed=cause, repeatable=False)
    return replace(
        observation,
        watched=True,
        expressions=module.expressions(recorder),
        loops=module.loop_facts(recorder, raised=run.raised is not None),
        repeatable=same_values(plain.result, run.result),
    )


def _ending(run: _Run) -> str:
    if run.raised is None:
        return "returned"
    return f"raised {run.raised.type} on line {run.raised.line} of the module"


def _load(code: types.CodeType, scope: dict[str, Any], entry: str) -> Callable[..., Any]:
    scope["__name__"] = "jitmagic_workload"
    exec(code, scope)
    return scope[entry]


def _call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Run:
    result, raised = None, None
    with watched_surroundings() as surroundings, kept_inside(FILENAME) as attempt:
        start = time.perf_counter()
        try:
            result = function(*args, **kwargs)
        except (Exception, SystemExit) as error:
            raised = RaisedFact(type(error).__name__, str(error), _line(error))
        finally:
            seconds = time.perf_counter() - start
    return _Run(seconds, result, raised, surroundings, attempt.refusal)


def _line(error: BaseException) -> int | None:
    """Returns the innermost line of the module's text that an exception passed."""
    if isinstance(error, SyntaxError) and error.filename == FILENAME:
        return error.lineno
    return line_in(error, FILENAME)


def _labelled(labels: Sequence[str], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return dict(zip(labels, (*args, *kwargs.values()), strict=True))


def _copied(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a deep copy of each value, sharing what they share; what cannot be copied (a module) stays itself."""
    memo: dict[int, Any] = {}
    return {name: _copy(value, memo) for name, value in namespace.items()}


def _copy(value: Any, memo: dict[int, Any]) -> Any:
    try:
        return copy.deepcopy(value, memo)
    except TypeError:
        return value


def _values(scope: Mapping[str, Any], namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the module's global values before the call; those of ``namespace``, which no run touches, uncopied."""
    kept: dict[str, Any] = {}
    memo: dict[int, Any] = {}
    for name, value in scope.items():
        if not _is_code(name, value):
            kept[name] = namespace[name] if name in namespace else _copy(value, memo)
    return kept


def _is_code(name: str, value: Any) -> bool:
    code = types.ModuleType | types.FunctionType | types.BuiltinFunctionType | type
    return name.startswith("__") or issubclass(type(value), code)


def _changed(before: Mapping[str, Any], scope: Mapping[str, Any]) -> tuple[str, ...]:
    after = {name: value for name, value in scope.items() if name in before or not _is_code(name, value)}
    gone = [name for name in before if name not in after]
    return tuple([name for name in after if name not in before or not same_bits(before[name], after[name])] + gone)


def _same_object(values: Mapping[str, Any], result: Any) -> str | None:
    if isinstance(result, _IMMUTABLE):
        return None
    return next((label for label, value in values.items() if value is result), None)
