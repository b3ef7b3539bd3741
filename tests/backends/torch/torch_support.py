"""Makes a workload of a piece of source and an example call, observes it, and runs drafts in this process."""

from __future__ import annotations

import ast
import copy
import textwrap

import numpy as np

from jitmagic.backends.torch.backend import TorchBackend
from jitmagic.backends.torch.runtime import TorchRuntime
from jitmagic.capture.workload import ModuleText, SourceFunction, Workload
from jitmagic.observe.run import observe

HEADER = "import math\nimport numpy as np\n"


def workload(source, *args, constants=None, names=None, **kwargs):
    """The last function in ``source`` with an example call."""
    text = HEADER + "\n\n" + textwrap.dedent(source).strip() + "\n"
    tree = ast.parse(text)
    bound = {}
    for node in tree.body:
        if isinstance(node, ast.Import):
            bound |= {a.asname or a.name: a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            bound |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
    parts = [SourceFunction(f.name, ast.get_source_segment(text, f), f.lineno, "cell") for f in functions]
    last = functions[-1].args
    plain = [a.arg for a in (*last.posonlyargs, *last.args)]
    labels = [plain[i] if i < len(plain) else f"{last.vararg.arg}[{i - len(plain)}]" for i in range(len(args))]
    return Workload(
        function=parts[-1],
        helpers=tuple(parts[:-1]),
        module=ModuleText(text, tuple(range(1, text.count("\n") + 1))),
        names={**bound, **(names or {})},
        constants=constants or {},
        needs=tuple(constants or {}),
        args=args,
        kwargs=kwargs,
        call="fn()",
        argument_names=(*labels, *kwargs),
    )


def watch(w):
    """The observed facts of a workload, with the reference."""
    return observe(
        w.module.text,
        w.function.name,
        dict(w.constants),
        lambda: (copy.deepcopy(w.args), copy.deepcopy(dict(w.kwargs))),
        w.argument_names,
    )


def drafts(w, observation):
    """Drafts and refusals by the variant's name."""
    return {d.variant: d for d in TorchBackend().drafts(w, observation)}


def run(w, draft):
    """Runs a draft as a worker does; returns the result and the arguments after the call, as NumPy."""
    runtime = TorchRuntime()
    runtime.start("cpu")
    function = runtime.load(draft.module.text, "<draft>", draft.entry, dict(w.constants))
    args, kwargs = copy.deepcopy(w.args), copy.deepcopy(dict(w.kwargs))
    labels = w.argument_names
    moved = [
        a if labels[i] in draft.written or draft.mode == "numpy" else runtime.to_device(a) for i, a in enumerate(args)
    ]
    moved_kwargs = {
        k: v if k in draft.written or draft.mode == "numpy" else runtime.to_device(v) for k, v in kwargs.items()
    }
    result = runtime.to_host(function(*moved, **moved_kwargs))
    return result, [runtime.to_host(a) for a in moved]


def same(expected, actual, where="result", rtol=1e-9):
    """Asserts that values, dtypes, shapes and kinds agree."""
    if isinstance(expected, tuple | list):
        assert isinstance(actual, tuple | list), (where, type(actual))
        assert len(expected) == len(actual), where
        for i, (e, a) in enumerate(zip(expected, actual, strict=True)):
            same(e, a, f"{where}[{i}]", rtol)
        return
    if isinstance(expected, dict):
        assert list(expected) == list(actual), where
        for key in expected:
            same(expected[key], actual[key], f"{where}[{key!r}]", rtol)
        return
    if isinstance(expected, np.ndarray | np.generic):
        assert isinstance(actual, np.ndarray | np.generic), (where, type(actual), actual)
        assert expected.dtype == actual.dtype, (where, expected.dtype, actual.dtype)
        assert expected.shape == actual.shape, (where, expected.shape, actual.shape)
        tolerance = 2e-5 if expected.dtype in (np.float32, np.complex64) else rtol
        np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance, err_msg=where)
        return
    assert type(expected) is type(actual), (where, expected, actual)
    if isinstance(expected, float):
        assert math_close(expected, actual), (where, expected, actual)
    else:
        assert expected == actual, where


def math_close(a, b):
    return a == b or abs(a - b) <= 1e-9 * max(abs(a), abs(b)) or (a != a and b != b)
