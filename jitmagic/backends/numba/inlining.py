"""Has Numba put the body of a helper in the place of its one call: it is then compiled once, with the core.

A function beside the core is typed, optimised and made callable by itself, which takes longer than its loops do. In a
loop over steps a call passes its arrays' lengths and strides each time, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import libcst as cst

from jitmagic.generate.walking import nodes_of

_PLAIN = '@njit(error_model="numpy")\n'
_INLINED = '@njit(error_model="numpy", inline="always")\n'


def inlined(tree: cst.Module, name: str, helpers: Mapping[str, str]) -> dict[str, str]:
    """Returns the sources of helpers, those that are to be put in the place of their calls with that option.

    Parameters
    ----------
    tree : libcst.Module
    name : str
        The core, compiled without threads.
    helpers : mapping of str to str
    """
    core = next(s for s in tree.body if isinstance(s, cst.FunctionDef) and s.name.value == name)
    # what runs in Python (`objmode`) stands in no function that is inlined, nor around one
    kinds: tuple[type[cst.CSTNode], ...] = (cst.With, cst.Try, cst.FunctionDef)
    if any(nodes_of(core.body, kind) for kind in kinds):
        return dict(helpers)
    uses = Counter(node.value for node in nodes_of(tree, cst.Name) if node.value in helpers)
    sources = {one: cst.parse_module(source) for one, source in helpers.items()}
    # each source names its own function once
    uses.update(n.value for source in sources.values() for n in nodes_of(source, cst.Name) if n.value in helpers)
    calls = Counter(c.func.value for c in nodes_of(core.body, cst.Call) if isinstance(c.func, cst.Name))
    loops = [*nodes_of(core.body, cst.For), *nodes_of(core.body, cst.While), *nodes_of(core.body, cst.ListComp)]
    looped = {
        call.func.value for loop in loops for call in nodes_of(loop, cst.Call) if isinstance(call.func, cst.Name)
    }  # fmt: skip
    made = dict(helpers)
    for one, source in helpers.items():
        alone = uses[one] == 2 and calls[one] == 1 and source.lstrip().startswith(_PLAIN)
        if any(nodes_of(sources[one], kind) for kind in kinds[:2]):
            continue
        if alone and (one not in looped or _is_flat(sources[one])):
            made[one] = source.replace(_PLAIN, _INLINED, 1)
    return made


def _is_flat(source: cst.Module) -> bool:
    """Says whether a helper has loops over one axis alone: of more, the compiler makes less inside other loops."""
    loops = nodes_of(source, cst.For)
    return bool(loops) and all(len(nodes_of(loop.body, cst.For)) == 0 for loop in loops)
