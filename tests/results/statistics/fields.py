"""Simulated fields: cases whose workers take turns on a machine that drifts."""

import numpy as np

from results.statistics.drift import Turns


def field(rng, levels, rounds, *, noise=0.01, drift=lambda _: 0.0, spikes=0.0, part=0, start=0.0):
    """Return the turns of cases with these logarithmic `levels`, in a random order a round, in a single part."""
    rows = []
    at = start
    for _ in range(rounds):
        for case in rng.permutation(len(levels)):
            at += rng.uniform(0.5, 1.5)
            spike = 0.7 if rng.random() < spikes else 0.0
            rows.append((levels[case] + drift(at) + noise * rng.standard_normal() + spike, at, case))
    log, at, series = np.array(rows).T
    constant = np.zeros(len(rows), dtype=np.int64)
    return Turns(log, at, series.astype(np.int64), constant + part, constant)


def joined(*turns):
    """Return all turns together."""
    return Turns(*(np.concatenate(columns) for columns in zip(*turns, strict=True)))
