"""Whole runs on a fake clock: what the schedule as a whole promises, of `bench.run` to the table of the results."""

import itertools
import math

import pytest
from msgspec import structs

import bench
import results
from bench.machine import memory
from bench.schedule import run as runner
from results.metrics.levels import levels
from tests.bench.runs import Recorder
from tests.bench.stepping import Clockwork

TRUTH = {"resnet18": 0.010, "resnet34": 0.018, "resnet50": 0.150}
"""Seconds of a step of the baselines; the other layout takes four fifths."""
SAMPLING = {"replicates": 3, "target": 0.001, "budget_s": 4.0, "timeout_s": 60.0}


@pytest.fixture
def clockwork(monkeypatch):
    return Clockwork(monkeypatch)


@pytest.fixture
def plan(make_case):
    """Six cases: three models in two layouts."""
    return [make_case(model=model, layout=layout) for model in TRUTH for layout in ("nchw", "nhwc")]


def truth_s(case):
    return TRUTH[case.model] * (0.8 if case.layout == "nhwc" else 1.0)


def drifting(case, now):
    """A machine that swings by 4 % within a minute, and becomes slower and slower."""
    return truth_s(case) * (1 + 0.04 * math.sin(now / 10)) * (1 + now / 1000)


@pytest.mark.parametrize("live", [None, 4, 3, 2])
def test_drift_of_the_machine_is_in_no_speed_up(clockwork, plan, tmp_path, live):
    clockwork.server(drifting)
    records = bench.run(plan, out=tmp_path, live=live, **SAMPLING)
    assert records.files[0].complete
    table = results.table(records).set_index(["model", "layout"])
    for model in TRUTH:
        assert table["speedup"][model, "nhwc"] == pytest.approx(1 / 0.8, rel=0.02)
    relative = results.table(records, reference=plan[0].key).set_index(["model", "layout"])["relative"]
    for case in plan:
        assert relative[case.model, case.layout] == pytest.approx(truth_s(case) / truth_s(plan[0]), rel=0.02)
    latency_s = table["latency_s"]
    assert not all(latency_s[case.model, case.layout] == pytest.approx(truth_s(case), rel=0.03) for case in plan)


def test_every_replicate_is_a_field_of_fresh_processes(clockwork, plan, tmp_path):
    server = clockwork.server(drifting)
    records = bench.run(plan, out=tmp_path, **SAMPLING)
    fields = levels(list(records)).field.tolist()
    assert len(set(zip(fields, (record.replicate for record in records), strict=True))) == len(set(fields)) == 3
    timed = [worker.case for worker in server.workers if worker.case is not None]
    assert sorted(case.key for case in timed) == sorted(case.key for case in plan * 3)


def test_a_run_that_is_interrupted_at_any_record_goes_on_to_a_complete_run(clockwork, plan, tmp_path):
    for after in (1, 4, 6, 8):
        server = clockwork.server(drifting)
        with pytest.raises(runner.Interrupted) as stopped:
            bench.run(plan, out=tmp_path / str(after), live=4, show=Recorder(interrupt_after=after), **SAMPLING)
        assert not server.alive
        before = list(results.load(stopped.value.path))
        clockwork.machine.now += 30.0
        records = bench.resume(stopped.value.path)
        assert not server.alive
        assert records.files[0].complete
        assert records.problems == ()
        assert list(records)[:after] == before
        assert {(record.case, record.replicate) for record in records} == set(itertools.product(plan, range(3)))
        again = 0 if after % len(plan) == 0 else min(2, after % len(plan))
        assert len(records) == len(plan) * 3 + again
        assert len(set(levels(list(records)).field.tolist())) == 3
        broken = after // len(plan)
        parts = [
            {part for record in half if record.replicate == broken for part in record.samples.part}
            for half in (before, list(records)[after:])
        ]
        assert not parts[0] & parts[1]
        table = results.table(records)
        assert table["replicates"].tolist() == [3] * len(plan)
        assert table["speedup"].tolist() == pytest.approx([1, 1.25] * 3, rel=0.02)


SLOWNESS = {"cuda:0": 1.0, "cuda:1": 1.1}
"""Seconds of a step on each of two cards, over those of the first."""


def on_a_card(case, now):
    return drifting(case, now) * SLOWNESS[case.device]


def test_two_cards_are_measured_in_turn_and_each_case_is_compared_with_the_baseline_of_its_card(clockwork, tmp_path):
    server = clockwork.server(on_a_card)
    axes = {"model": [*TRUTH], "layout": ["nchw", "nhwc"]}
    records = bench.run(axes=axes, device="cuda:0,cuda:1", out=tmp_path, **SAMPLING)
    assert records.files[0].complete
    assert server.most_alive == 6
    order = [(record.replicate, record.case.device) for record in records]
    assert [key for key, _ in itertools.groupby(order)] == list(itertools.product(range(3), SLOWNESS))
    assert len(set(levels(list(records)).field.tolist())) == 3 * 2
    table = results.table(records).set_index(["device", "model", "layout"])
    for device, model in itertools.product(SLOWNESS, TRUTH):
        assert table["speedup"][device, model, "nhwc"] == pytest.approx(1.25, rel=0.02)


def test_a_run_of_two_cards_that_is_interrupted_goes_on_to_a_complete_run(clockwork, plan, tmp_path):
    cards = [structs.replace(case, device=device) for case in plan for device in SLOWNESS]
    for after in (4, 6, 8):  # within the first card, between both, and within the second
        clockwork.server(on_a_card)
        with pytest.raises(runner.Interrupted) as stopped:
            bench.run(cards, out=tmp_path / str(after), show=Recorder(interrupt_after=after), **SAMPLING)
        clockwork.machine.now += 30.0
        records = bench.resume(stopped.value.path)
        assert records.files[0].complete
        assert {(record.case, record.replicate) for record in records} == set(itertools.product(cards, range(3)))
        assert len(records) == len(cards) * 3 + (0 if after == len(plan) else 2)
        assert len(set(levels(list(records)).field.tolist())) == 3 * 2


def test_a_time_limit_is_obeyed_and_gives_each_case_its_replicates(clockwork, plan, tmp_path):
    for time_limit_s, cases in ((300.0, 6), (20.0, 6), (10.0, 4)):
        clockwork.server(lambda case, now: truth_s(case), start_s=0.3)
        began = clockwork.machine.now
        sampling = SAMPLING | {"replicates": 5, "target": 1e-9, "time_limit_s": time_limit_s}
        records = bench.run(plan, out=tmp_path, **sampling)
        assert clockwork.machine.now - began <= time_limit_s + 1.5
        by_case = {case: [record for record in records if record.case == case] for case in plan}
        counts = [len(own) for own in by_case.values() if own]
        assert len(counts) == cases
        assert min(counts) >= 3
        assert records.files[0].complete == (len(records) == 5 * len(plan))


def test_a_failing_case_costs_its_own_records_only(clockwork, plan, tmp_path):
    def script(verb, case, server):
        failing = verb == "turn" and case.model == "resnet34" and case.layout == "nhwc"
        return {"failed": "error", "cause": "ValueError: bad"} if failing else None

    clockwork.server(drifting, script=script)
    records = bench.run(plan, out=tmp_path, **SAMPLING)
    assert records.files[0].complete
    assert [record.case for record in records if record.status != "ok"] == [plan[3]] * 3


def test_in_later_replicates_the_workers_of_known_size_fill_memory_better(clockwork, plan, tmp_path, monkeypatch):
    gib = 1 << 30
    sizes = {case: (1 + 3 * index) * gib for index, case in enumerate(plan)}
    server = clockwork.server(host_bytes=lambda case: sizes[structs.replace(case)])
    taken = lambda: sum(sizes[worker.case] for worker in server.alive if worker.case)  # noqa: E731
    monkeypatch.setattr(memory, "available", lambda: max(0, 40 * gib - taken()))
    records = bench.run(plan, out=tmp_path, **SAMPLING | {"replicates": 2})
    assert {record.status for record in records} == {"ok"}
    assert len(set(levels(list(records)).field.tolist())) == 2
    small = [record for record in records if record.replicate == 1 and record.case in plan[:2]]
    last = max(max(record.samples.part) for record in records if record.replicate == 1)
    assert all(set(record.samples.part) == set(range(last + 1)) for record in small)
