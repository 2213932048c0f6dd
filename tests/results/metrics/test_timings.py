"""All records at once against each of them alone, by the formulas as they stand in the docstrings."""

import math
import statistics

import numpy as np
import pytest
from msgspec import structs
from scipy import special
from scipy import stats as reference

from results.metrics.timings import QUANTILES, Medians, Spread, SteadyTurns, medians, timings
from results.statistics import intervals
from tests.results.statistics.quantiles import quantile_interval


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
        found.append(structs.replace(record, samples=structs.replace(samples, turn=turn, baseline_s=baselines)))
        if index % 9 == 0:
            found.append(make_record(status="timeout", cause="no answer"))
    return found


def _independent(values):
    log = np.log(values)
    if len(log) < intervals.TURNS_FOR_INTERVAL:
        return len(log)
    deviation = log - log.mean()
    lag = deviation[:-1] @ deviation[1:] / (deviation @ deviation)
    r = min(max((len(log) * lag + 1) / (len(log) - 3), 0), 0.99)
    return max(len(log) * (1 - r) / (1 + r), 2)


def _interval(values):
    """The median, plus and minus t times 1.2533 s / sqrt(n), on logs that are drawn in to 3 robust deviations."""
    if len(values) < intervals.TURNS_FOR_INTERVAL:
        return None
    log = np.log(values)
    centre = np.median(log)
    scale = 1.4826 * np.median(abs(log - centre))
    log = np.clip(log, centre - 3 * scale, centre + 3 * scale) if scale else log
    worth = _independent(np.exp(log))
    t = special.stdtrit(max(worth - 1, (len(log) - 1) / 2), 0.975)
    half = t * math.sqrt(math.pi / 2) * log.std(ddof=1) / math.sqrt(worth)
    return math.exp(centre), math.exp(centre - half), math.exp(centre + half)


def _told(records):
    """What is told of each record, None where there is none."""
    found = timings(records)[:2]
    rows = [zip(*(np.where(np.isnan(one), None, one).tolist() for one in part), strict=True) for part in found]
    return [(Medians(*typical), Spread(*spread)) for typical, spread in zip(*rows, strict=True)]


def test_all_at_once_is_each_alone(records):
    found = _told(records)
    assert len(found) == len(records)
    for record, timing in zip(records, found, strict=True):
        assert _told([record]) == [timing]
        if record.samples is None:
            assert {*timing[0], *timing[1]} == {None}


def test_more_records_than_fit_at_once_are_each_alone(records, monkeypatch):
    whole = _told(records)
    monkeypatch.setattr("results.metrics.timings._AT_ONCE", 7)
    assert _told(records) == whole


def test_steady_turns_are_medians_of_their_steps(records, monkeypatch):
    steady = timings(records)[2]
    expected = [
        (index, turn, statistics.median(step for step, own in steps if own == turn))
        for index, samples in enumerate(record.samples for record in records)
        if samples is not None
        for steps in [list(zip(samples.step_s, samples.turn, strict=True))[samples.warmup :]]
        for turn in sorted({own for _, own in steps})
    ]
    assert list(zip(*(column.tolist() for column in steady[:2]), strict=True)) == [key[:2] for key in expected]
    assert steady.step_s.tolist() == pytest.approx([seconds for *_, seconds in expected], rel=1e-12)
    monkeypatch.setattr("results.metrics.timings._AT_ONCE", 7)
    assert [column.tolist() for column in timings(records)[2]] == [column.tolist() for column in steady]


def test_no_records_have_no_times():
    assert [column.size for part in timings([]) for column in part] == [0] * len(
        Medians._fields + Spread._fields + SteadyTurns._fields
    )


def test_the_least_is_the_same_without_the_rest(records):
    for alone, beside in zip(medians(records), timings(records)[0], strict=True):
        assert alone.tolist() == pytest.approx(beside.tolist(), rel=0, nan_ok=True)


def test_the_figures_are_those_of_the_formulas(records):
    for record, (typical, found) in zip(records, _told(records), strict=True):
        samples = record.samples
        if samples is None or samples.warmup >= len(samples.step_s):
            assert {typical.latency_s, *found} == {None}
            continue
        steps = samples.step_s[samples.warmup :]
        per_turn = _turn_medians(samples)
        assert typical.latency_s == statistics.median(steps)
        assert found.effective == pytest.approx(_independent(steps), rel=1e-9)
        interval = _interval(list(per_turn.values()))
        ends = (None, None)
        if interval is not None:  # its relative width, around the median step
            ends = pytest.approx([typical.latency_s * end / interval[0] for end in interval[1:]], rel=1e-12)
        assert (found.latency_low_s, found.latency_high_s) == ends
        for q, value in zip(QUANTILES, found[3:7], strict=True):
            bounds = quantile_interval(steps, q, found.effective)
            assert value == (bounds and bounds.value)


def test_the_clocks_are_those_of_all_turns(records):
    for record, (found, _) in zip(records, _told(records), strict=True):
        if record.samples is not None:
            whole = structs.replace(record.samples, warmup=0)
            turns = sorted(set(whole.turn))
            steps = [[s for s, t in zip(whole.step_s, whole.turn, strict=True) if t == turn] for turn in turns]
            assert found.clock_step_s == pytest.approx(statistics.median(map(statistics.mean, steps)), rel=1e-12)
            assert found.clock_wall_s == statistics.median(whole.wall_s[turn] for turn in turns)


def test_the_parts_of_a_step_are_those_of_the_steady_ones_and_their_share_is_of_all(make_record, make_case):
    training = make_case(task="training")
    whole = make_record(training, turns=10, warmup=4)
    without = structs.replace(whole.samples, backward_s=())
    cold = structs.replace(whole.samples, warmup=len(whole.samples.step_s))
    records = [
        make_record(),
        whole,
        structs.replace(whole, samples=without),
        structs.replace(whole, samples=cold),
    ]
    plain, split, partly, warming = (typical for typical, _ in _told(records))
    samples = whole.samples
    assert plain[3:] == (None, None, None, None)
    assert split[3:6] == tuple(
        statistics.median(series[4:]) for series in (samples.forward_s, samples.backward_s, samples.optimizer_s)
    )
    shares = zip(samples.forward_s, samples.backward_s, samples.optimizer_s, samples.step_s, strict=True)
    assert split.phases == pytest.approx(statistics.median((a + b + c) / step for a, b, c, step in shares), rel=1e-12)
    assert partly[3:] == (split.forward_s, None, split.optimizer_s, None)
    assert warming[3:] == (None, None, None, split.phases)


def test_constants_have_no_spread(make_record):
    ((_, found),) = _told([make_record(turns=30, noise=0.0, warmup=0)])
    assert found.effective == 60
    assert found.latency_low_s == found.latency_high_s


@pytest.mark.parametrize("n", [1, 2, 28, 29, 58, 59, 298, 299, 1000])
@pytest.mark.parametrize("q", QUANTILES)
def test_ranks_are_the_quantiles_of_the_binomial(n, q):
    high, low = int(reference.binom.ppf(0.95, n, q)) + 1, int(reference.binom.ppf(1 - 0.95, n, q))
    assert intervals.bounding_ranks(n, q) == (None if high > n or low < 1 else (low, high))


def _turn_medians(samples):
    """Return the median steady step of each turn, by the turn's index."""
    turns = {}
    for turn, step in zip(samples.turn[samples.warmup :], samples.step_s[samples.warmup :], strict=True):
        turns.setdefault(turn, []).append(step)
    return {turn: statistics.median(steps) for turn, steps in turns.items()}
