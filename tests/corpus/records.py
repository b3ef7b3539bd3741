"""Results, states and parameters kept in dicts by name."""

import numpy as np

from tests.corpus.sizes import of


def chemostat(feed, dt, mu_max=0.9, k_s=0.4):
    # biomass, substrate and product in a stirred tank, Monod kinetics
    hist = {"t": [], "biomass": [], "substrate": []}
    x, s = 0.1, 2.0
    for i, d in enumerate(feed):
        mu = mu_max*s/(k_s + s)
        x += dt*(mu - d)*x
        s += dt*(d*(5.0 - s) - mu*x/0.5)
        s = max(s, 0.0)
        hist["t"].append(i*dt)
        hist["biomass"].append(x)
        hist["substrate"].append(s)
    return {key: np.array(values) for key, values in hist.items()}


def chemostat_args(size, rng):
    return rng.uniform(0.1, 0.5, of(size, 12, 120, 20_000)), 0.05


def two_tanks(inflow, level, dt):
    """Levels of two tanks, the first of which drains into the second."""
    par = dict(area=2.0, c1=0.3, c2=0.2)
    state = {
        "upper": level[0],  # m
        "lower": level[1],
        "spilled": 0.0,
    }
    worst = state["lower"]
    for q in inflow:
        out1 = par["c1"]*np.sqrt(max(state["upper"], 0.0))
        out2 = par["c2"]*np.sqrt(max(state["lower"], 0.0))
        state["upper"] += dt*(q - out1)/par["area"]
        state["lower"] += dt*(out1 - out2)/par["area"]
        if state["lower"] > 1.5:
            state["spilled"] += (state["lower"] - 1.5)*par["area"]
            state["lower"] = 1.5
        worst = max(worst, state["lower"])
    return state, worst


def two_tanks_args(size, rng):
    return rng.gamma(2.0, 0.2, of(size, 12, 300, 30_000)), np.array([1.0, 0.5]), 0.5


def field_summary(field, low):
    res = {}
    anomaly = field - field.mean(axis=0)
    res["std"] = anomaly.std(axis=0)
    res["range"] = field.max() - field.min()
    # the share of the area that lies low, step by step
    res["share"] = np.zeros(len(field))
    for t in range(len(field)):
        res["share"][t] = np.mean(field[t] < low)
    return res


def field_summary_args(size, rng):
    return rng.random((of(size, 6, 30, 200), 4, of(size, 5, 40, 300))), 0.3
