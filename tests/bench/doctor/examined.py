"""An A/A run and its findings, made of given ratios, for the tests of the doctor and of its text."""

import dataclasses
import math
import random

from bench.doctor.checks import Check
from bench.doctor.doctor import examine
from results.analysis.ab import Paired
from results.statistics.looks import judge

GOOD = Check(name="steal", state="good", seen="0.00 CPUs")
WARN = Check(name="turbo", state="warn", seen="on", remedy="turn it off")
BAD = Check(name="power", state="bad", seen="on battery", remedy="plug it in")


def ratios(count, spread=0.008, seed=0):
    rng = random.Random(seed)
    return [math.exp(rng.gauss(0, spread)) for _ in range(count)]


def paired_of(case, found=None, **fields):
    """An A/A run of a case whose pairs have the ratios `found`."""
    found = ratios(10) if found is None else found
    usual = Paired(
        pair="20261122-003812-ab-a1b2",
        margin=0.02,
        a=case,
        b=case,
        judged=judge(found, 0.02),
        ratios=tuple(found),
        a_latency_s=0.02,
        b_latency_s=0.02,
        pair_s=4.0,
        broken=False,
        counts=(),
        environment=(),
        reasons=(),
        notices=(),
    )
    return dataclasses.replace(usual, **fields)


def run(aa=None, found=(GOOD,), device="cpu", **options):
    return examine(device, aa=aa, look=lambda device: found, **options)
