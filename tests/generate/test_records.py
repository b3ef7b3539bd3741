"""Dicts whose keys are written out become variables: sources before and after, and what keeps a dict."""

import textwrap

import libcst as cst
import pytest

from jitmagic.capture.workload import ModuleText
from jitmagic.generate.blocks import normalised
from jitmagic.generate.module import Module
from jitmagic.generate.records import without_records


def rewritten(body, head=""):
    source = f"import numpy as np\n\n\n{head}def f(x, n):\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"
    text = ModuleText(source, tuple(range(1, len(source.splitlines()) + 1)))
    module = Module(text, {"np": "numpy"})
    tree = without_records(module, normalised(module, module.marked()))
    assert isinstance(tree, cst.Module)
    return source, Module.finish(tree, text).text, module


CASES = {
    "a history": (
        """
        hist = {"S": [], "I": []}  # by day
        for day in range(n):
            hist["S"].append(x[day])
            hist["I"].append(x[day]**2)
        return hist
        """,
        """
        hist_S = []  # by day
        hist_I = []
        for day in range(n):
            hist_S.append(x[day])
            hist_I.append(x[day]**2)
        return {"S": hist_S, "I": hist_I}
        """,
    ),
    "a state that is stored into": (
        """
        # where it begins
        state = dict(pos=x.copy(), vel=0.0*x)
        for _ in range(n):
            state["pos"] += 0.1*state["vel"]
            state["vel"][1:] -= state['pos'][:-1]
        return state["pos"], state
        """,
        """
        # where it begins
        state_pos = x.copy()
        state_vel = 0.0*x
        for _ in range(n):
            state_pos += 0.1*state_vel
            state_vel[1:] -= state_pos[:-1]
        return state_pos, {"pos": state_pos, "vel": state_vel}
        """,
    ),
    "results one by one": (
        """
        # what comes out
        res = {}
        res["mean"] = x.mean()
        if n > 3:
            res["mean"] = 0.0
        res["top 5"] = x[:5]
        return res
        """,
        """
        # what comes out
        res_mean = x.mean()
        if n > 3:
            res_mean = 0.0
        res_top_5 = x[:5]
        return {"mean": res_mean, "top 5": res_top_5}
        """,
    ),
    "comments behind keys": (
        """
        p = {
            "g": 9.81,  # m/s2
            "m": (x[0]
                  + 1),
        }
        return p["g"]*p["m"]
        """,
        """
        p_g = 9.81  # m/s2
        p_m = (x[0]
                  + 1)
        return p_g*p_m
        """,
    ),
    "arrays of its lists": (
        """
        h = {"a": [], "b": []}
        for v in x:
            h["a"].append(v)
            h["b"].append(-v)
        return {k: np.array(v) for k, v in h.items()}, [np.sum(h[k]) for k in ("b", "a")]
        """,
        """
        h_a = []
        h_b = []
        for v in x:
            h_a.append(v)
            h_b.append(-v)
        return {"a": np.array(h_a), "b": np.array(h_b)}, [np.sum(h_b), np.sum(h_a)]
        """,
    ),
    "a loop over its keys": (
        """
        s = {"k": x[0], "m": x[1]}
        for name in s:
            s[name] = s[name]/2
        return max(s.values())
        """,
        """
        s_k = x[0]
        s_m = x[1]
        s_k = s_k/2
        s_m = s_m/2
        return max([s_k, s_m])
        """,
    ),
    "a function inside that reads": (
        """
        p = {"g": 9.81, "m": 2.0}

        def force(t):
            return p["g"]*p["m"]*t
        return force(x)
        """,
        """
        p_g = 9.81
        p_m = 2.0

        def force(t):
            return p_g*p_m*t
        return force(x)
        """,
    ),
    "names that are taken": (
        """
        a_b = x
        a = {"b": 1}
        return a_b*a["b"]
        """,
        """
        a_b = x
        a_b_ = 1
        return a_b*a_b_
        """,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_record_becomes_variables(case):
    before, after = CASES[case]
    assert rewritten(after)[0] == rewritten(before)[1]


KEPT = {
    "a key that the run computes": 'd = {"a": 0, "b": 0}\nfor k in x:\n    d[k] += 1\nreturn d["a"]',
    "handed to a function": 'd = {"a": x}\nreturn g(d) + d["a"]',
    "under a second name": 'd = {"a": x}\ne = d\ne["a"] = 0\nreturn d["a"]',
    "made twice": 'd = {"a": x}\nif n:\n    d = {"a": -x}\nreturn d["a"]',
    "a key less": 'd = {"a": x, "b": n}\ndel d["b"]\nreturn d',
    "a key that may not be there": 'd = {}\nif n:\n    d["a"] = x\nreturn d',
    "returned before all keys are there": 'd = {"b": 1}\nif n:\n    return d\nd["a"] = x\nreturn d["a"]',
    "a store in a function inside": 'd = {"a": x}\ndef g():\n    d["a"] = 0\ng()\nreturn d["a"]',
    "given out by a function inside": 'd = {"a": x}\ndef g():\n    return d\ng()["a"] = 3\nreturn d["a"]',
    "a value that is stored while it is gone through": (
        'd = {"a": 1, "b": 2}\ns = 0\nfor k, v in d.items():\n    d[k] = 7\n    s += v\nreturn s'
    ),
    "a key that is used behind its loop": 'd = {"a": 1, "b": 2}\nfor k in d:\n    d[k] += 1\nreturn k',
    "joined to other lists": 'd = {"a": [1], "b": [2]}\nreturn sum(d.values(), [])',
    "a parameter's name": 'x = {"a": 1}\nreturn x["a"]',
    "a loop that ends early": 'd = {"a": 1, "b": 2}\nfor k in d:\n    if d[k] > n:\n        break\nreturn d["a"]',
}


@pytest.mark.parametrize("case", KEPT)
def test_what_needs_the_dict_keeps_it(case):
    source, got, module = rewritten(KEPT[case], "def g(d):\n    return d['a']\n\n\n")
    assert source == got
    assert module.parts == {}


def test_the_variables_are_parts_of_what_they_were_made_of():
    _, _, module = rewritten('s = {"a": x, "b": n}\nreturn s["a"]*s["b"]')
    assert module.parts == {"s_a": "s", "s_b": "s"}
