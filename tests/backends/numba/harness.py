"""Makes workloads from source text, observes them for real, and runs drafts beside NumPy in this process."""

import copy
import textwrap
import types

import numpy as np
import pytest

from jitmagic.backends.numba.backend import NumbaBackend
from jitmagic.backends.numpy.runtime import NumpyRuntime
from jitmagic.backends.protocol import Draft
from jitmagic.capture.workload import ModuleText, SourceFunction, Workload
from jitmagic.observe.run import observe

BOTH = ["numba", pytest.param("numba-parallel", marks=pytest.mark.slow)]
"""The variants: what is compiled for threads takes the longest."""

IMPORTS = "import math\n\nimport numpy as np\n\n\n"


def workload(source, *args, needs=None, imports=IMPORTS, **kwargs):
    """Makes a workload whose last function is the one under study; lines of the user count from 1 at its first line."""
    body = textwrap.dedent(source).strip("\n") + "\n"
    text = imports + body
    offset = imports.count("\n")
    lines = tuple([None] * offset + list(range(1, body.count("\n") + 1)))
    scope = dict(needs or {})
    exec(text, scope)
    names = {}
    for name, value in scope.items():
        if isinstance(value, types.ModuleType) and name != "__builtins__":
            names[name] = value.__name__
        elif callable(value) and not isinstance(value, types.FunctionType):
            names[name] = f"{getattr(value, '__module__', 'numpy')}.{value.__name__}"
    functions = [SourceFunction(name, "", 1, "cell") for name, v in scope.items() if isinstance(v, types.FunctionType)]
    code = scope[functions[-1].name].__code__
    positional = list(code.co_varnames[: code.co_argcount])
    labels = positional[: len(args)]
    if len(args) > len(positional):
        star = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
        labels += [f"{star}[{k}]" for k in range(len(args) - len(positional))]
    return Workload(
        function=functions[-1],
        helpers=tuple(functions[:-1]),
        module=ModuleText(text, lines),
        names=names,
        constants=dict(needs or {}),
        needs=tuple(needs or ()),
        args=args,
        kwargs=kwargs,
        call="fn(...)",
        argument_names=(*labels, *kwargs),
    )


def observed(work):
    def make():
        return copy.deepcopy((work.args, dict(work.kwargs)))

    found = observe(work.module.text, work.function.name, dict(work.constants), make, work.argument_names)
    return found.observation


def drafts(work, backend=None):
    """Returns the drafts (or refusals) by variant."""
    made = (backend or NumbaBackend()).drafts(work, observed(work))
    return {draft.variant: draft for draft in made}


def source_of(work, variant="numba"):
    draft = drafts(work)[variant]
    assert isinstance(draft, Draft), draft
    return draft.module.text


def run(work, draft, name):
    """Runs a draft on copies of the arguments; returns the result and the arguments as it left them."""
    function = NumpyRuntime().load(draft.module.text, f"<{name}>", draft.entry, dict(work.constants))
    args, kwargs = copy.deepcopy((work.args, dict(work.kwargs)))
    with np.errstate(all="ignore"):
        result = function(*args, **kwargs)
    return result, args


def reference(work):
    scope = dict(copy.deepcopy(dict(work.constants)))
    exec(work.module.text, scope)
    args, kwargs = copy.deepcopy((work.args, dict(work.kwargs)))
    with np.errstate(all="ignore"):
        result = scope[work.function.name](*args, **kwargs)
    return result, args


def assert_same(got, wanted, rtol):
    if isinstance(wanted, dict):
        assert list(got) == list(wanted)
        for key in wanted:
            assert_same(got[key], wanted[key], rtol)
        return
    if isinstance(wanted, tuple | list):
        assert isinstance(got, tuple | list)
        assert len(got) == len(wanted)
        for one, two in zip(got, wanted, strict=True):
            assert_same(one, two, rtol)
        return
    if wanted is None:
        assert got is None
        return
    if isinstance(wanted, np.random.Generator):
        return
    assert np.asarray(got).dtype == np.asarray(wanted).dtype
    assert np.shape(got) == np.shape(wanted)
    np.testing.assert_allclose(got, wanted, rtol=rtol, atol=rtol)
