"""Takes a NumPy source and a call through observe, generate, check and run in this process, and compares with NumPy."""

import copy
import importlib
import traceback
from dataclasses import dataclass

import libcst as cst
import numpy as np

from jitmagic.backends.jax.backend import JaxBackend
from jitmagic.backends.jax.runtime import JaxRuntime
from jitmagic.backends.protocol import Failure, VariantRefusal
from jitmagic.capture.workload import ModuleText, SourceFunction, Workload
from jitmagic.errors import Refusal
from jitmagic.generate.names import import_bindings, parameters
from jitmagic.observe.run import observe


@dataclass
class Made:
    """What came of a source: a draft, or a refusal."""

    draft: object = None
    refusal: Refusal | None = None
    function: object = None
    runtime: object = None

    @property
    def text(self):
        return self.draft.module.text


def workload_of(source, args, kwargs=None, constants=None, name=None):
    kwargs, constants = kwargs or {}, constants or {}
    text = source.lstrip("\n")
    tree = cst.parse_module(text)
    functions = [s for s in tree.body if isinstance(s, cst.FunctionDef)]
    function = next((f for f in functions if f.name.value == name), functions[-1])
    names = {}
    for statement in tree.body:
        if isinstance(statement, cst.SimpleStatementLine):
            for small in statement.body:
                if isinstance(small, cst.Import | cst.ImportFrom):
                    names.update(import_bindings(small))
    written = {
        t.target.value
        for s in tree.body
        if isinstance(s, cst.SimpleStatementLine) and isinstance(s.body[0], cst.Assign)
        for t in s.body[0].targets
    }
    scope = {}
    for statement in tree.body:
        if isinstance(statement, cst.SimpleStatementLine):
            exec(cst.Module([statement]).code, scope)
    values = {n: scope[n] for n in written}
    p = function.params
    plain = [x.name.value for x in (*p.posonly_params, *p.params)]
    labels = []
    for position in range(len(args)):
        labels.append(plain[position] if position < len(plain) else f"{p.star_arg.name.value}[{position - len(plain)}]")
    made = tuple(SourceFunction(f.name.value, cst.Module([f]).code, 1, "cell") for f in functions)
    assert set(parameters(function))
    return Workload(
        function=made[functions.index(function)],
        helpers=tuple(m for m in made if m.name != function.name.value),
        module=ModuleText(text, tuple(range(1, len(text.splitlines()) + 1))),
        names=names,
        constants={**values, **constants},
        needs=tuple(constants),
        args=tuple(args),
        kwargs=kwargs,
        call=f"{function.name.value}(...)",
        argument_names=(*labels, *kwargs),
    )


def make(source, *args, constants=None, **kwargs):
    """Writes and checks the JAX variant; climbs its ladder."""
    workload = workload_of(source, args, kwargs, constants)
    observed = observe(
        workload.module.text,
        workload.function.name,
        dict(constants or {}),
        lambda: copy.deepcopy((tuple(args), dict(kwargs))),
        workload.argument_names,
    )
    backend, runtime = JaxBackend(), JaxRuntime()
    runtime.start("cpu")
    draft = backend.drafts(workload, observed.observation)[0]
    for step in range(20):
        if isinstance(draft, VariantRefusal):
            return Made(refusal=draft.refusal)
        if isinstance(draft, Refusal):
            return Made(refusal=draft)
        filename = f"<jitmagic-test-{step}>"
        try:
            function = runtime.load(draft.module.text, filename, draft.entry, copy.deepcopy(dict(constants or {})))
            runtime.check(function, copy.deepcopy(args), copy.deepcopy(kwargs), draft.static)
        except Exception as error:
            frames = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == filename]
            failure = Failure(
                "check",
                f"{type(error).__module__}.{type(error).__qualname__}",
                str(error)[:20000],
                frames[-1] if frames else None,
                tuple(c.__name__ for c in type(error).__mro__),
            )
            previous = draft
            draft = backend.revise(workload, observed.observation, draft, failure)
            if isinstance(draft, Refusal):
                return Made(draft=previous, refusal=draft)
            continue
        return Made(draft, None, function, runtime)
    raise AssertionError("the ladder does not end")


def run_both(source, *args, constants=None, **kwargs):
    """Returns the made variant, what it gave and what NumPy gave, each with the arguments as they were left."""
    made = make(source, *args, constants=constants, **kwargs)
    assert made.refusal is None, f"{made.refusal}\n{made.draft and made.text}"
    workload = workload_of(source, args, kwargs, constants)
    scope = dict(copy.deepcopy(constants or {}))
    exec(workload.module.text, scope)
    ours, theirs = copy.deepcopy((args, kwargs)), copy.deepcopy((args, kwargs))
    expected = scope[workload.function.name](*theirs[0], **theirs[1])
    given = ours[0] if made.draft.written else made.runtime.to_device(ours[0])
    result = made.function(*given, **ours[1])
    if isinstance(expected, np.ndarray) and any(expected is a for a in theirs[0]):
        position = next(i for i, a in enumerate(theirs[0]) if a is expected)
        assert result is given[position], f"the returned argument is another object\n{made.text}"
    return made, made.runtime.to_host((result, given)), (expected, theirs[0])


def same(ours, theirs, text, tolerance=1e-10):
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), text
        for key in theirs:
            same(ours[key], theirs[key], text, tolerance)
        return
    if isinstance(theirs, tuple | list):
        assert len(ours) == len(theirs), text
        for a, b in zip(ours, theirs, strict=True):
            same(a, b, text, tolerance)
        return
    if isinstance(theirs, np.ndarray | np.generic):
        assert np.asarray(ours).dtype == theirs.dtype, (
            f"{np.asarray(ours).dtype} where NumPy has {theirs.dtype}\n{text}"
        )
        assert np.shape(ours) == theirs.shape, text
        rtol = max(tolerance, 2e-4 if theirs.dtype in (np.float32, np.complex64) else 0)
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol, err_msg=text)
    elif isinstance(theirs, float | int | complex):
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, err_msg=text)
    else:
        assert ours == theirs, text


def agrees(source, *args, constants=None, **kwargs):
    """Asserts that the variant gives NumPy's values, dtypes, shapes and mutations; returns its source."""
    made, ours, theirs = run_both(source, *args, constants=constants, **kwargs)
    same(ours, theirs, made.text)
    return made.text


def refused(source, *args, constants=None, **kwargs):
    """Asserts that the variant is refused; returns the refusal."""
    made = make(source, *args, constants=constants, **kwargs)
    assert made.refusal is not None, made.text
    return made.refusal


assert importlib.util.find_spec("jax")
