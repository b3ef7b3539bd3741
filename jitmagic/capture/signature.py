"""Takes parameters out of a function's signature, keeping its layout and comments."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import libcst as cst


def without_parameters(source: str, lines: Sequence[int], names: Collection[str]) -> tuple[str, tuple[int, ...]]:
    """Takes the named parameters out of the one ``def`` in ``source``.

    >>> without_parameters("def rk4(f, y, h=0.1):\\n    return f(y)\\n", (1, 2), ["f"])
    ('def rk4(y, h=0.1):\\n    return f(y)\\n', (1, 2))
    """
    module = cst.parse_module(source)
    function = module.body[0]
    assert isinstance(function, cst.FunctionDef)
    parameters = function.params

    def kept(group: Sequence[cst.Param]) -> list[cst.Param]:
        left = [each for each in group if each.name.value not in names]
        if len(left) < len(group) and left and group[-1] is not left[-1]:
            # The comma after the last parameter left belonged before the one that is gone.
            left[-1] = left[-1].with_changes(comma=group[-1].comma)
        return left

    positional_only = kept(parameters.posonly_params)
    changed = parameters.with_changes(
        posonly_params=positional_only,
        posonly_ind=parameters.posonly_ind if positional_only else cst.MaybeSentinel.DEFAULT,
        params=kept(parameters.params),
        kwonly_params=kept(parameters.kwonly_params),
    )
    if isinstance(changed.star_arg, cst.ParamStar) and not changed.kwonly_params:
        changed = changed.with_changes(star_arg=cst.MaybeSentinel.DEFAULT)
    text = module.with_changes(body=[function.with_changes(params=changed)]).code
    lost = source.count("\n") - text.count("\n")
    if lost:
        # Only the signature can have lost lines, and what stands after them is as it was.
        before, after = source.split("\n"), text.split("\n")
        same = 0
        while same < len(after) - 1 and before[-1 - same] == after[-1 - same]:
            same += 1
        begin = len(lines) + 1 - same  # the text ends with an empty line, which the map does not have
        lines = (*lines[: begin - lost], *lines[begin:])
    return text, tuple(lines)
