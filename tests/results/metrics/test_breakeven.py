import math

import numpy as np
import pytest
from msgspec import structs

from results.analysis.study import Study
from results.metrics.breakeven import is_never, steps
from results.metrics.table import table
from results.statistics.intervals import Intervals
from results.storage.reader import load


@pytest.fixture
def measured(tmp_path_factory, write_run, make_record, make_case, make_run):
    """A baseline, and one compiled case beside it with a speed-up for each replicate; or nhwc ones, with theirs."""

    def make(
        gains=(1.25,), *, eager=None, noise=0.0, compile_s=10.0, warm_s=None, turns=40, change=lambda record: record
    ):
        layout = "nchw" if eager is None else "nhwc"
        records = []
        for replicate, gain in enumerate(gains):
            usual = {"replicate": replicate, "turns": turns, "noise": noise}
            records.append(make_record(latency_s=0.05, **usual))
            if eager is not None:
                own = {"latency_s": 0.05 / eager[replicate], "baseline_latency_s": 0.05}
                records.append(make_record(make_case(layout=layout), **own, **usual))
            record = make_record(
                make_case(runtime="compile", layout=layout), latency_s=0.05 / gain, baseline_latency_s=0.05, **usual
            )
            facts = structs.replace(record.facts, compile_s=compile_s, warm_compile_s=warm_s)
            records.append(change(structs.replace(record, facts=facts)))
        run = make_run(plan=dict.fromkeys(record.case for record in records))
        (found,) = Study(load(write_run(tmp_path_factory.mktemp("runs"), records, run=run))).break_evens
        return found

    return make


def test_it_is_compilation_over_what_a_step_saves(measured):
    found = measured(warm_s=1.0)
    assert found.cold.value == pytest.approx(10 / (0.05 - 0.04))
    assert found.warm.value == pytest.approx(1 / (0.05 - 0.04))
    assert found.ratio.value == pytest.approx(1.25)
    assert (found.compile_s, found.reason) == (10.0, None)


def test_the_twin_has_the_same_layout(measured):
    found = measured((1.5,), eager=(1.2,))
    assert found.ratio.value == pytest.approx(1.25)
    assert found.cold.value == pytest.approx(10 / (0.05 / 1.2 - 0.05 / 1.5))


def test_the_interval_is_that_of_the_ratio_across_paired_replicates(measured):
    # Both speed-ups scatter by a fifth between processes, their ratio hardly at all.
    found = measured((1.0, 1.2, 1.441), eager=(0.8, 0.96, 1.152))
    assert found.ratio.low < found.ratio.value < found.ratio.high
    assert found.cold.low < found.cold.value < found.cold.high < math.inf
    step_s = 0.05 / (1.0 * 1.2 * 1.441) ** (1 / 3)
    assert found.cold.low == pytest.approx(10 / (step_s * (found.ratio.high - 1)))


def test_one_replicate_has_the_interval_within_its_process(measured):
    found = measured(noise=0.01)
    assert 0 < found.cold.low < found.cold.value < found.cold.high < math.inf
    few = measured(turns=5)
    assert few.cold.value > 0
    assert (few.cold.low, few.cold.high) == (None, None)


def test_a_gain_that_is_not_sure_may_never_pay(measured):
    found = measured((0.97, 1.03, 1.06))
    assert found.cold.low < found.cold.value < math.inf
    assert found.cold.high == math.inf


@pytest.mark.parametrize("gain", [1.0, 0.9])
def test_what_is_no_faster_never_pays(measured, gain):
    found = measured((gain,))
    assert found.cold.value == math.inf
    assert found.cold.high == math.inf


def test_a_compilation_of_no_time_pays_at_once(measured):
    assert measured(compile_s=0.0).cold.value == 0


def test_what_is_not_known_has_a_reason(measured, make_equality):
    def wrong(record):
        return structs.replace(record, equality=make_equality("wrong"))

    def crashed(record):
        return structs.replace(record, status="crash", cause="signal 11", samples=None)

    for change, reason in ((wrong, "its result is wrong: output"), (crashed, "crash: signal 11")):
        found = measured(change=change)
        assert (found.cold, found.warm, found.ratio) == (None, None, None)
        assert found.reason.startswith(reason)
    found = measured(compile_s=None)
    assert (found.cold, found.reason) == (None, "the time of its compilation is not known")
    assert found.ratio is not None


def test_only_compiled_cases_with_a_twin_have_one(tmp_path, write_run, make_record, make_case):
    records = [make_record(), make_record(make_case(runtime="compile", layout="nhwc"), baseline_latency_s=0.05)]
    assert Study(load(write_run(tmp_path, records))).break_evens == ()


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        ((2.0, 1.5, 3.0), (10.0, 5.0, 20.0)),
        ((2.0, math.nan, math.nan), (10.0, math.nan, math.nan)),
        ((2.0, 0.9, 3.0), (10.0, 5.0, math.inf)),
        ((0.9, 0.8, 1.5), (math.inf, 20.0, math.inf)),
        ((0.9, 0.8, 0.95), (math.inf, math.inf, math.inf)),
    ],
)
def test_the_bounds_of_the_ratio_become_those_of_the_steps(ratio, expected):
    compile_s, step_s = np.array([1.0, math.nan]), np.array([0.1, 0.1])
    found = np.array(steps(compile_s, step_s, Intervals(*(np.array([one, one]) for one in ratio))))
    assert found[:, 0].tolist() == pytest.approx(expected, nan_ok=True)
    assert np.isnan(found[:, 1]).all()  # how long it took is not known


def test_compiling_in_no_time_pays_at_once_or_never():
    ratio = Intervals(*np.array([[2.0, 0.9]] * 3))
    assert steps(np.zeros(2), np.ones(2), ratio).value.tolist() == [0.0, math.inf]


def test_only_steps_that_are_never_reached_are_never(tmp_path, write_run, make_record, make_case):
    slower = make_record(make_case(runtime="compile"), latency_s=0.06, baseline_latency_s=0.05, noise=0.0)
    frame = table(load(write_run(tmp_path, [make_record(noise=0.0), slower])))
    eager, compiled = frame["nulls"]
    assert is_never(compiled["break_even_steps"])
    assert not is_never(eager["break_even_steps"])
    assert not is_never(compiled["warm_break_even_steps"])  # no warm compilation was measured
    assert not is_never(None)
