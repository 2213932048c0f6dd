import signal
import time
import types

import pytest
from msgspec import structs

from bench.machine import memory
from bench.process.forkserver import WorkerDied
from bench.schedule.group import GroupRun, groups
from results.schema.record import Noise, Record
from results.schema.run import Settings
from tests.bench.fakes import FakeServer

SETTINGS = Settings(replicates=1, target=0.01, budget_s=0.2, timeout_s=60, time_limit_s=None)


@pytest.fixture
def measure(tmp_path):
    def measure(server, plan, wanted=lambda case: True, deadline=float("inf")):
        records = []
        for group in groups(plan, wanted):
            run = GroupRun(server, group, replicate=0, settings=SETTINGS, cache=tmp_path, deadline=deadline)
            records += [event for event in run.measure() if isinstance(event, Record)]
        assert not server.alive
        return {record.case.key: record for record in records}

    return measure


@pytest.fixture
def family(make_case):
    base = make_case()
    return [base] + [structs.replace(base, layout="nhwc", precision=p) for p in ("fp32", "amp-bf16", "bf16", "fp16")]


def fails(on, case_matches, answer):
    def script(what, case, server):
        return answer if what == on and case_matches(case) else None

    return script


def test_the_order_of_turns_is_of_the_replicate_and_the_group_and_the_same_again(make_case, tmp_path):
    def order(replicate, **axes):
        asked = []

        def script(what, case, server):
            if what == "turn":
                asked.append((case.layout, case.precision))

        base = make_case(**axes)
        plan = [base] + [structs.replace(base, layout="nhwc", precision=p) for p in ("fp32", "bf16", "fp16")]
        (group,) = groups(plan, lambda case: True)
        server = FakeServer(script)
        run = GroupRun(server, group, replicate=replicate, settings=SETTINGS, cache=tmp_path, deadline=float("inf"))
        assert list(run.measure())
        return tuple(asked[:16])

    orders = [order(replicate) for replicate in range(3)]
    assert len(set(orders)) == 3
    assert order(0) == orders[0]
    assert order(0, batch_size=1) != orders[0]


def test_cases_are_grouped_by_their_baseline(make_case):
    a, b = make_case(), make_case(layout="nhwc")
    c, d = make_case(model="resnet18", layout="nhwc"), make_case(batch_size=1)
    assert [(group.baseline, group.cases) for group in groups([a, b, c, d], lambda case: case != a)] == [
        (a, (b,)),
        (None, (c,)),
        (d, (d,)),
    ]


def test_every_case_becomes_a_record_and_all_but_the_baseline_are_paired(measure, family):
    server = FakeServer(fails("finish", lambda case: True, {"notes": ["a finding"]}))
    records = measure(server, family)
    assert set(records) == {case.key for case in family}
    assert {record.status for record in records.values()} == {"ok"}
    assert [bool(records[case.key].samples.baseline_s) for case in family] == [False, True, True, True, True]
    assert server.most_alive == len(family)
    record = records[family[1].key]
    assert record.facts.first_step_s == 0.5
    assert {name: why for name, why in record.nulls.items() if not name.startswith("noise.")} == {
        "compile_s": "nothing is compiled",
        "warm_compile_s": "nothing is compiled",
    }
    assert record.notes == ("a finding",)
    assert record.budget_s == SETTINGS.budget_s
    assert record.stop in {"target", "budget"}


@pytest.mark.parametrize(
    ("answer", "status", "cause"),
    [
        (WorkerDied("killed by SIGSEGV", signal_number=signal.SIGSEGV), "crash", "SIGSEGV"),
        (WorkerDied("no answer within 60 s", hung=True), "timeout", "no answer"),
        ({"failed": "unsupported", "cause": "no such thing"}, "unsupported", "no such thing"),
        ({"failed": "error", "cause": "ValueError: bad"}, "error", "bad"),
    ],
)
@pytest.mark.parametrize("on", ["prepare", "turn", "finish"])
def test_a_misfortune_is_the_record_of_its_case_alone(measure, family, answer, status, cause, on):
    server = FakeServer(fails(on, lambda case: case.precision == "bf16", answer))
    records = measure(server, family)
    unlucky = records.pop(next(case.key for case in family if case.precision == "bf16"))
    assert unlucky.status == status
    assert cause in unlucky.cause
    assert (unlucky.samples is not None) == (on == "finish")
    assert len(records) == 4
    assert {record.status for record in records.values()} == {"ok"}


@pytest.mark.parametrize("on", ["prepare", "turn", "finish", None])
def test_a_record_has_the_noise_of_its_workers_life_however_it_ended(measure, make_case, monkeypatch, on):
    seen = (Noise(other_cpus=0.5), {"steal": "no hypervisor tells"})
    watched = []
    watch = types.SimpleNamespace(noise=lambda: seen)
    monkeypatch.setattr("bench.process.client.Watch", lambda device: watched.append(device) or watch)
    case = make_case()
    record = measure(FakeServer(fails(on, lambda case: True, {"failed": "error", "cause": "x"})), [case])[case.key]
    assert record.status == ("ok" if on is None else "error")
    assert record.noise == seen[0]
    assert record.nulls["noise.steal"] == seen[1]["steal"]
    assert watched == [case.device]


def test_a_failed_baseline_leaves_the_others_unpaired(measure, family):
    server = FakeServer(fails("prepare", lambda case: case.layout == "nchw", {"failed": "error", "cause": "x"}))
    records = measure(server, family)
    assert records.pop(family[0].key).status == "error"
    assert len(records) == 4
    assert all(record.status == "ok" and not record.samples.baseline_s for record in records.values())


def test_a_group_too_large_is_rotated_in_parts_that_each_hold_the_baseline(measure, family, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 100 << 30)
    server = FakeServer(host_bytes=25 << 30)  # room for two more
    records = measure(server, family)
    assert server.most_alive == 3
    assert sum(worker.case.layout == "nchw" for worker in server.workers) == 2
    assert set(records) == {case.key for case in family}
    assert all(records[case.key].samples.baseline_s for case in family[1:])


def test_where_not_even_two_fit_each_is_measured_alone_and_says_so(measure, family, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 10 << 30)
    server = FakeServer(host_bytes=25 << 30)
    records = measure(server, family)
    assert server.most_alive == 1
    assert len(records) == 5
    assert all("alone" in records[case.key].notes[0] for case in family[1:])
    assert not any(record.samples.baseline_s for record in records.values())


def test_a_baseline_that_dies_when_asked_for_its_memory_leaves_the_others_unpaired(measure, family):
    answer = {"failed": "error", "cause": "x"}
    records = measure(FakeServer(fails("footprint", lambda case: case.layout == "nchw", answer)), family)
    assert records.pop(family[0].key).status == "error"
    assert len(records) == 4
    assert all(record.status == "ok" and "alone" not in str(record.notes) for record in records.values())


def test_only_a_group_that_compiles_keeps_memory_for_the_compiler(measure, make_case, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 2 << 30)
    base = make_case()
    for runtime, alive in (("eager", 2), ("compile", 1)):
        server = FakeServer(host_bytes=1 << 30)
        measure(server, [base, structs.replace(base, layout="nhwc", runtime=runtime)])
        assert server.most_alive == alive


def test_out_of_memory_beside_others_is_tried_again_alone(measure, family):
    def script(what, case, server):
        crowded = len(server.alive) > 1
        return (
            {"failed": "out-of-memory", "cause": "CUDA out of memory"}
            if (what == "prepare" and case.precision == "bf16" and crowded)
            else None
        )

    records = measure(FakeServer(script), family)
    again = records[next(case.key for case in family if case.precision == "bf16")]
    assert again.status == "ok"
    assert "alone" in again.notes[0]


def test_out_of_memory_alone_is_a_record(measure, family):
    answer = {"failed": "out-of-memory", "cause": "CUDA out of memory"}
    records = measure(FakeServer(fails("turn", lambda case: case.precision == "bf16", answer)), family)
    assert [record.status for record in records.values()].count("out-of-memory") == 1
    assert [record.status for record in records.values()].count("ok") == 4


def test_a_kill_by_the_kernel_for_memory_is_told_from_a_crash(measure, family, monkeypatch):
    kills = iter([7, 8])
    monkeypatch.setattr(memory, "kernel_oom_kills", lambda: next(kills))
    death = WorkerDied("killed by SIGKILL", signal_number=signal.SIGKILL)
    records = measure(FakeServer(fails("prepare", lambda case: True, death)), family[:1])
    assert records[family[0].key].status == "out-of-memory"


def test_a_resumed_group_has_its_baseline_for_company(measure, family):
    server = FakeServer()
    records = measure(server, family, wanted=lambda case: case == family[2])
    assert set(records) == {family[2].key}
    assert records[family[2].key].samples.baseline_s
    assert len(server.workers) == 2


def test_a_group_that_is_not_measured_to_its_end_leaves_no_worker(family, tmp_path):
    server = FakeServer()
    (group,) = groups(family, lambda case: True)
    run = GroupRun(server, group, replicate=0, settings=SETTINGS, cache=tmp_path, deadline=float("inf")).measure()
    phases = []
    while "measuring" not in phases:
        phases.append(next(run).phase)
    assert phases == ["preparing"] * len(family) + ["measuring"]
    assert len(server.alive) == len(family)
    run.close()
    assert not server.alive


def test_after_the_deadline_nothing_begins(measure, family):
    server = FakeServer()
    assert measure(server, family, deadline=time.perf_counter() - 1) == {}
    assert server.workers == []


def test_a_second_process_times_the_warm_compilation(measure, make_case):
    def script(what, case, server):
        if what == "prepare" and len(server.workers) == 2:
            return {"first_step_s": 0.1}
        return None

    case = make_case(runtime="compile")
    server = FakeServer(script)
    record = measure(server, [case])[case.key]
    assert record.facts.compile_s == pytest.approx(0.49, abs=0.001)
    assert record.facts.warm_compile_s == pytest.approx(0.09, abs=0.001)
    assert "warm_compile_s" not in record.nulls
    assert len(server.workers) == 2


def test_a_second_process_that_dies_costs_the_warm_figure_only(measure, make_case):
    def script(what, case, server):
        return WorkerDied("killed by SIGKILL") if what == "prepare" and len(server.workers) == 2 else None

    case = make_case(runtime="compile")
    record = measure(FakeServer(script), [case])[case.key]
    assert (record.status, record.facts.warm_compile_s) == ("ok", None)
    assert record.nulls["warm_compile_s"] == "the second process: killed by SIGKILL"


def test_a_compilation_that_crosses_the_deadline_says_why_it_has_no_warm_figure(measure, make_case, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("bench.schedule.group.time.perf_counter", lambda: now[0])

    def script(what, case, server):
        if what == "prepare":
            now[0] = 100.0

    case = make_case(runtime="compile")
    record = measure(FakeServer(script), [case], deadline=50.0)[case.key]
    assert "time was over" in record.nulls["warm_compile_s"]
    assert "replicate" not in record.nulls["warm_compile_s"]


def test_compile_time_is_the_first_step_less_a_steady_one(measure, make_case):
    server = FakeServer()
    case = make_case(runtime="compile")
    record = measure(server, [case])[case.key]
    assert record.facts.compile_s == pytest.approx(0.49, abs=0.001)
