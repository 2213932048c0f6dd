"""All records at once against each of them alone, by the formulas as they stand in the docstrings."""

import dataclasses
import math
import statistics

import numpy as np
import pytest
from scipy import special
from scipy import stats as reference

from results import stats
from results.metrics import turn_medians
from results.timings import NOTHING, QUANTILES, timings


@pytest.fixture
def records(make_record, make_case):
    """Series of all lengths, with and without baselines, with turns of one to four steps, failed ones among them."""
    found = []
    for index in range(60):
        record = make_record(
            make_case(batch_size=1 + index, runtime="compile"),
            baseline_latency_s=0.1 if index % 3 else None,
            turns=1 + index,
            warmup=index % 7 * 2,
            noise=0.02,
        )
        samples = record.samples
        baselines = tuple(None if place % 5 == index % 5 else one for place, one in enumerate(samples.baseline_s))
        turn = tuple(sorted(one * (1 + index % 4) // 4 for one in samples.turn))
        found.append(dataclasses.replace(record, samples=dataclasses.replace(samples, turn=turn, baseline_s=baselines)))
        if index % 9 == 0:
            found.append(make_record(status="timeout", cause="no answer"))
    return found


def _independent(values):
    log = np.log(values)
    if len(log) < stats.MIN_TURNS:
        return len(log)
    deviation = log - log.mean()
    lag = deviation[:-1] @ deviation[1:] / (deviation @ deviation)
    r = min(max((len(log) * lag + 1) / (len(log) - 3), 0), 0.99)
    return max(len(log) * (1 - r) / (1 + r), 2)


def _interval(values):
    """The median, plus and minus t times 1.2533 s / sqrt(n), on logs that are drawn in to 3 robust deviations."""
    if len(values) < stats.MIN_TURNS:
        return None
    log = np.log(values)
    centre = np.median(log)
    scale = 1.4826 * np.median(abs(log - centre))
    log = np.clip(log, centre - 3 * scale, centre + 3 * scale) if scale else log
    worth = _independent(np.exp(log))
    t = special.stdtrit(max(worth - 1, (len(log) - 1) / 2), 0.975)
    half = t * math.sqrt(math.pi / 2) * log.std(ddof=1) / math.sqrt(worth)
    return math.exp(centre), math.exp(centre - half), math.exp(centre + half)


def _same(interval, expected):
    if interval is None or expected is None:
        return interval is expected
    return dataclasses.astuple(interval) == pytest.approx(expected, rel=1e-12)


def test_all_at_once_is_each_alone(records):
    found = timings(records)
    assert len(found) == len(records)
    for record, timing in zip(records, found, strict=True):
        assert timings([record]) == [timing]
        if record.samples is None:
            assert timing == NOTHING


def test_the_figures_are_those_of_the_formulas(records):
    for record, (_, steady) in zip(records, timings(records), strict=True):
        samples = record.samples
        if samples is None or samples.warmup >= len(samples.step_s):
            assert steady is None
            continue
        steps = samples.step_s[samples.warmup :]
        medians = turn_medians(samples)
        assert steady.latency_s == statistics.median(steps)
        assert steady.worth == pytest.approx(_independent(steps), rel=1e-9)
        assert _same(steady.interval, _interval(list(medians.values())))
        beside = {} if not samples.baseline_s else dict(enumerate(samples.baseline_s))
        ratios = [beside[turn] / own for turn, own in medians.items() if beside.get(turn) is not None]
        assert steady.speedup == (statistics.median(ratios) if ratios else None)
        assert _same(steady.speedup_interval, _interval(ratios))
        for q, value in zip(QUANTILES, steady.quantiles, strict=True):
            bounds = stats.quantile_interval(steps, q, steady.worth)
            assert value == (bounds and bounds.value)


def test_the_clocks_are_those_of_all_turns(records):
    for record, (clocks, _) in zip(records, timings(records), strict=True):
        if record.samples is not None:
            whole = dataclasses.replace(record.samples, warmup=0)
            turns = sorted(set(whole.turn))
            steps = [[s for s, t in zip(whole.step_s, whole.turn, strict=True) if t == turn] for turn in turns]
            assert clocks.step_s == pytest.approx(statistics.median(map(statistics.mean, steps)), rel=1e-12)
            assert clocks.wall_s == statistics.median(whole.wall_s[turn] for turn in turns)


def test_constants_have_no_spread(make_record):
    record = make_record(turns=30, noise=0.0, warmup=0)
    steady = timings([record])[0].steady
    assert steady.worth == 60
    assert steady.interval.low == steady.interval.high


@pytest.mark.parametrize("n", [1, 2, 28, 29, 58, 59, 298, 299, 1000])
@pytest.mark.parametrize("q", QUANTILES)
def test_ranks_are_the_quantiles_of_the_binomial(n, q):
    high, low = int(reference.binom.ppf(0.95, n, q)) + 1, int(reference.binom.ppf(1 - 0.95, n, q))
    assert stats.bounding_ranks(n, q) == (None if high > n or low < 1 else (low, high))
