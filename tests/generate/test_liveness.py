"""Liveness on small functions whose answer is plain to see."""

import libcst as cst

from jitmagic.generate.liveness import live_names


def analysed(source, at_exit=()):
    body = cst.parse_module(source).body[0].body.body
    return body, live_names(body, at_exit)


def test_a_name_dies_with_its_last_use():
    body, live = analysed("def f(a):\n    b = a + 1\n    c = b * 2\n    return c\n")
    assert live.after[body[0]] == {"b"}
    assert live.after[body[1]] == {"c"}
    assert live.entry == {"a"}


def test_what_the_next_iteration_reads_is_live_at_the_head():
    body, live = analysed(
        "def f(x, n):\n    s = 0\n    for i in range(n):\n        t = x[i]\n        s = s + t\n    return s\n"
    )
    assert live.head[body[1]] == {"s", "x"}
    assert live.after[body[1].body.body[1]] == {"s", "x"}


def test_break_leads_behind_the_loop_and_continue_to_its_head():
    body, live = analysed(
        "def f(n, a, b):\n    while n:\n        if a:\n            break\n        if b:\n            continue\n"
        "        n = 1\n    return n\n"
    )
    inside = body[0].body.body
    assert live.after[inside[1]] == {"a", "b", "n"} - {"n"}
    assert live.head[body[0]] == {"n", "a", "b"}


def test_both_branches_count_and_an_augmented_assignment_reads():
    body, live = analysed("def f(c, a, b):\n    if c:\n        a += 1\n    else:\n        a = b\n    return a\n")
    assert live.entry == {"c", "a", "b"}
    assert live.after[body[0]] == {"a"}


def test_names_needed_at_the_exit_are_live_behind_a_return_too():
    body, live = analysed("def f(out, x):\n    if x:\n        return 1\n    out = x\n    return 2\n", ["out"])
    assert "out" in live.entry
    assert live.after[body[1]] == {"out"}


def test_a_nested_function_keeps_what_it_reads():
    body, live = analysed("def f(a):\n    b = a\n    def g(x):\n        return x + b\n    return g(1)\n")
    assert live.after[body[0]] == {"b"}
