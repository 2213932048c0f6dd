import collections
import itertools
import pathlib
import signal
import types

import pytest
from msgspec import structs

from bench.machine import memory
from bench.machine.nvml import Gpu
from bench.process import client
from bench.process.caches import Caches
from bench.process.forkserver import WorkerDied
from bench.process.gpu_watch import GpuWatch
from bench.process.messages import Footprint
from bench.schedule.plan import Todo
from bench.schedule.progress import Activity
from bench.schedule.replicate import ReplicateRun
from bench.schedule.room import Room
from results.metrics.levels import ALONE, levels
from results.schema.lines.record import Noise, Record
from results.schema.lines.run import Settings
from tests.bench.driver import driver
from tests.bench.stepping import Clockwork, Stepping

SETTINGS = Settings(replicates=1, target=0.01, budget_s=2.0, timeout_s=60, time_limit_s=None)
GIB = 1 << 30
ERROR = {"failed": "error", "cause": "ValueError: bad"}
NO_MEMORY = {"failed": "out-of-memory", "cause": "CUDA out of memory"}
DISGUISED = {"failed": "error", "cause": "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED", "crowded": True}


@pytest.fixture
def clockwork(monkeypatch):
    return Clockwork(monkeypatch)


@pytest.fixture
def caches(tmp_path):
    return Caches(tmp_path)


@pytest.fixture
def measure(caches):
    """Measure cases in a replicate; gives their records by the key of the case."""

    def measure(server, cases, *, replicate=0, live=None, room=None, deadline=float("inf"), settings=SETTINGS, **todo):
        run = ReplicateRun(
            server,
            Todo(replicate=replicate, cases=tuple(cases), **todo),
            settings=settings,
            caches=caches,
            room=room or Room(live),
            epoch=0.0,
            deadline=deadline,
        )
        records = [event for event in run.measure() if isinstance(event, Record)]
        assert not server.alive
        assert len({record.case for record in records}) == len(records)
        return {record.case.key: record for record in records}

    return measure


@pytest.fixture
def family(make_case):
    """Six cases of different models and baselines."""
    base = make_case(model="resnet18")
    variants = [base, structs.replace(base, layout="nhwc"), structs.replace(base, precision="bf16")]
    return variants + [structs.replace(case, model="resnet50") for case in variants]


def fails(on, matches, answer):
    return lambda verb, case, server: answer if verb == on and matches(case) else None


def of_bf16(case):
    return case.precision == "bf16" and case.model == "resnet18"


def parts(record):
    return sorted(set(record.samples.part))


def processes(server):
    """Return the number of processes of each case."""
    return collections.Counter(worker.case.key for worker in server.workers)


# ------------------------------------------------------------------------------------------------------- all together


def test_cases_of_different_models_live_together_and_all_end(measure, clockwork, family):
    server = clockwork.server(script=fails("finish", lambda case: True, {"notes": ["a finding"]}))
    records = measure(server, family)
    assert set(records) == {case.key for case in family}
    assert server.most_alive == len(family) == len(server.workers)
    assert {record.status for record in records.values()} == {"ok"}
    assert all(parts(record) == [0] for record in records.values())
    record = records[family[1].key]
    assert record.notes == ("a finding",)
    assert record.budget_s == SETTINGS.budget_s
    assert record.stop in {"target", "budget"}
    assert record.facts.first_step_s == 0.5
    assert len(set(levels(list(records.values())).field.tolist())) == 1


def test_preparations_come_first_and_each_turn_is_an_activity(clockwork, family, caches):
    run = ReplicateRun(
        clockwork.server(), Todo(replicate=0, cases=tuple(family)), settings=SETTINGS, caches=caches,
        room=Room(None), epoch=0.0,
    )  # fmt: skip
    phases = [event.phase for event in run.measure() if isinstance(event, Activity)]
    assert phases[: len(family)] == ["preparing"] * len(family)
    assert set(phases[len(family) :]) == {"measuring"}


def test_the_order_of_turns_is_of_the_replicate_and_the_plan_and_the_same_again(measure, clockwork, family):
    def order(replicate, cases):
        asked = []
        script = lambda verb, case, server: asked.append(case.key) if verb == "turn" else None  # noqa: E731
        measure(clockwork.server(script=script), cases, replicate=replicate)
        return tuple(asked[:24])

    orders = [order(replicate, family) for replicate in range(3)]
    assert len(set(orders)) == 3
    assert order(0, family) == orders[0]
    assert order(0, [*family[1:], family[0]]) != orders[0]


def test_devices_follow_one_another_and_share_nothing(measure, clockwork, family):
    cases = [structs.replace(case, device=f"cuda:{index}") for case in family for index in (0, 1)]
    asked = []
    script = lambda verb, case, server: asked.append(case.device) if verb == "turn" else None  # noqa: E731
    server = clockwork.server(script=script)
    records = measure(server, cases)
    assert set(records) == {case.key for case in cases}
    assert [device for device, _ in itertools.groupby(asked)] == ["cuda:0", "cuda:1"]
    assert server.most_alive == len(family)
    first, second = ([record for record in records.values() if record.case.device == f"cuda:{i}"] for i in (0, 1))
    assert [len(set(levels(own).field.tolist())) for own in (first, second, first + second)] == [1, 1, 2]


# ----------------------------------------------------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("answer", "status", "cause"),
    [
        (WorkerDied("killed by SIGSEGV", signal_number=signal.SIGSEGV), "crash", "SIGSEGV"),
        (WorkerDied("no answer within 60 s", hung=True), "timeout", "no answer"),
        ({"failed": "unsupported", "cause": "no such thing"}, "unsupported", "no such thing"),
        (ERROR, "error", "bad"),
    ],
)
@pytest.mark.parametrize("on", ["prepare", "footprint", "turn", "finish"])
def test_a_misfortune_is_the_record_of_its_case_alone(measure, clockwork, family, answer, status, cause, on):
    records = measure(clockwork.server(script=fails(on, of_bf16, answer)), family)
    unlucky = records.pop(family[2].key)
    assert unlucky.status == status
    assert cause in unlucky.cause
    assert (unlucky.samples is not None) == (on == "finish")
    assert len(records) == 5
    assert {record.status for record in records.values()} == {"ok"}


def test_a_worker_that_fails_later_leaves_its_series(measure, clockwork, family):
    turns = itertools.count()

    def script(verb, case, server):
        return ERROR if verb == "turn" and of_bf16(case) and next(turns) == 3 else None

    record = measure(clockwork.server(script=script), family)[family[2].key]
    assert record.status == "error"
    assert len(record.samples.at_s) == len(record.samples.part) == 3


@pytest.mark.parametrize("on", ["prepare", "turn", "finish", None])
def test_a_record_has_the_noise_of_its_workers_life_however_it_ended(measure, clockwork, family, monkeypatch, on):
    seen = (Noise(other_cpus=0.5), {"steal": "no hypervisor tells"})
    watch = types.SimpleNamespace(noise=lambda: seen)
    monkeypatch.setattr(client, "Watch", lambda: watch)
    case = family[0]
    record = measure(clockwork.server(script=fails(on, lambda case: True, ERROR)), [case])[case.key]
    assert record.status == ("ok" if on is None else "error")
    assert record.noise == seen[0]
    assert record.nulls["noise.steal"] == seen[1]["steal"]


@pytest.mark.parametrize("failure", [NO_MEMORY, DISGUISED], ids=["memory", "disguise"])
@pytest.mark.parametrize("on", ["prepare", "footprint", "turn"])
def test_what_others_may_have_caused_is_tried_again_alone(measure, clockwork, family, on, failure):
    def script(verb, case, server):
        return failure if verb == on and of_bf16(case) and len(server.alive) > 1 else None

    server = clockwork.server(script=script)
    records = measure(server, family)
    again = records[family[2].key]
    assert again.status == "ok"
    assert again.notes == ("measured alone: it did not fit into memory together with others",)
    assert processes(server)[family[2].key] == 2
    assert not set(parts(again)) & set(parts(records[family[0].key]))
    assert levels(list(records.values())).field.tolist().count(ALONE) == 0


@pytest.mark.parametrize(
    ("failure", "status"), [(NO_MEMORY, "out-of-memory"), (DISGUISED, "error")], ids=["memory", "disguise"]
)
def test_the_same_failure_alone_is_a_record(measure, clockwork, family, failure, status):
    server = clockwork.server(script=fails("turn", of_bf16, failure))
    statuses = [record.status for record in measure(server, family).values()]
    assert (statuses.count(status), statuses.count("ok")) == (1, 5)
    assert processes(server)[family[2].key] == 2


def test_a_result_that_needs_the_memory_of_others_is_checked_when_they_have_ended(measure, clockwork, family):
    waiting = []

    def script(verb, case, server):
        if verb != "check":
            return None
        others = len(server.alive) - 1 - len({*waiting} - {case.key})  # who waits has released its memory
        if others <= 0:
            return None
        waiting.append(case.key)
        return NO_MEMORY

    server = clockwork.server(script=script)
    records = measure(server, family)
    checked = [case.key for case in family if case != case.baseline]
    assert waiting
    assert set(waiting) <= {*checked}
    assert len(waiting) == len({*waiting})
    assert all(records[key].equality.verdict == "equal" for key in checked)
    assert {record.status for record in records.values()} == {"ok"}
    assert len(server.workers) == len(family)


def test_a_result_that_has_no_memory_alone_is_unchecked_with_the_reason(measure, clockwork, family):
    server = clockwork.server(script=fails("check", of_bf16, NO_MEMORY))
    record = measure(server, family)[family[2].key]
    assert (record.status, record.equality) == ("ok", None)
    assert record.nulls["equality"] == f"not checked: {NO_MEMORY['cause']}"


BUSY = {"failed": "error", "cause": "AcceleratorError: CUDA error: CUDA-capable device(s) is/are busy or unavailable"}


def test_a_device_that_admits_a_single_process_is_given_to_each_case_alone(measure, clockwork, family):
    def script(verb, case, server):
        return BUSY if verb == "prepare" and len(server.alive) > 1 else None

    server = clockwork.server(script=script)
    records = measure(server, family)
    assert {record.status for record in records.values()} == {"ok"}
    again = [record for record in records.values() if record.notes]
    assert {record.notes for record in again} == {("measured alone: its device admitted no second process",)}
    assert len(again) == len(family) - 1


def test_a_device_that_somebody_else_holds_is_an_error(measure, clockwork, family):
    server = clockwork.server(script=fails("prepare", of_bf16, BUSY))
    record = measure(server, family)[family[2].key]
    assert (record.status, record.cause) == ("error", BUSY["cause"])
    assert processes(server)[family[2].key] == 2


def test_where_the_compute_mode_is_known_no_worker_is_started_in_vain(measure, clockwork, make_case, monkeypatch):
    gpu = Gpu(nvml=driver(ComputeMode=3), handle="GPU-aa")
    monkeypatch.setattr(client, "GpuWatch", lambda: GpuWatch(find=lambda identity: gpu))
    cases = [make_case(device="cuda:0", batch_size=size) for size in (1, 2, 3)]
    server = clockwork.server()
    records = measure(server, cases)
    assert (server.most_alive, len(server.workers)) == (1, 3)
    assert {record.status for record in records.values()} == {"ok"}
    note = "measured alone: the compute mode of its GPU is EXCLUSIVE_PROCESS"
    assert {record.notes for record in records.values()} == {(note,)}


def test_a_kill_by_the_kernel_for_memory_is_told_from_a_crash(measure, clockwork, family, monkeypatch):
    kills = iter([7, 8])
    monkeypatch.setattr(memory, "kernel_oom_kills", lambda: next(kills))
    death = WorkerDied("killed by SIGKILL", signal_number=signal.SIGKILL)
    records = measure(clockwork.server(script=fails("prepare", lambda case: True, death)), family[:1])
    assert records[family[0].key].status == "out-of-memory"


def test_a_replicate_that_is_not_measured_to_its_end_leaves_no_worker(clockwork, family, caches):
    server = clockwork.server()
    todo = Todo(replicate=0, cases=tuple(family))
    run = ReplicateRun(server, todo, settings=SETTINGS, caches=caches, room=Room(None), epoch=0.0).measure()
    while next(run).phase != "measuring":
        pass
    assert len(server.alive) == len(family)
    run.close()
    assert not server.alive


# ------------------------------------------------------------------------------------------------------ sustained use

SUSTAINED = structs.replace(SETTINGS, sustained_s=8.0)


@pytest.fixture
def heated(clockwork):
    """Give a server of workers on a card that becomes half as fast for whoever works on it for half a second."""
    worker, since_s = None, 0.0

    def step_s(case, now):
        nonlocal worker, since_s
        if case != worker:
            worker, since_s = case, now
        return 0.02 if now - since_s > 0.5 else 0.01

    return lambda: clockwork.server(step_s)


@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
def test_who_asks_gets_the_step_of_each_case_in_sustained_use(measure, heated, clockwork, make_case, device):
    cases = [make_case(device=device, batch_size=size) for size in (1, 2, 3)]
    before = measure(heated(), cases, settings=SUSTAINED)
    began = clockwork.machine.now
    records = measure(heated(), cases, settings=SUSTAINED, sustains=True)
    took_s = clockwork.machine.now - began
    for record in records.values():
        assert record.status == "ok"
        assert max(record.samples.step_s) < 0.011
        assert record.facts.sustained_s == pytest.approx(0.02, rel=0.01)
        assert len(record.samples.turn) == len(before[record.case.key].samples.turn)
    assert 24 < took_s < 24 + 3 * 6
    assert {record.nulls["sustained_s"] for record in before.values()} == {"measured in the last replicate"}


def test_an_anchor_that_ends_early_is_in_sustained_use_too(measure, heated, make_case, monkeypatch):
    cases = [make_case(device="cuda:0", batch_size=size) for size in (1, 2, 3)]
    sizes = dict(zip([case.key for case in cases], (GIB, 4 * GIB, 20 * GIB), strict=True))
    server, room = heated(), Room(None)
    taken = lambda: sum(sizes[worker.case.key] for worker in server.alive if worker.case)  # noqa: E731
    monkeypatch.setattr(memory, "available", lambda: max(0, 24 * GIB - taken()))
    for case in cases:
        room.learn(case, Footprint(host_bytes=sizes[case.key], device_bytes=None, device_free_bytes=None))
    records = measure(server, cases, room=room, settings=SUSTAINED, sustains=True)
    assert [parts(records[case.key]) for case in cases] == [[0], [0], [1]]
    assert [record.facts.sustained_s for record in records.values()] == [pytest.approx(0.02, rel=0.01)] * 3


def test_no_case_is_in_sustained_use_before_the_rotation_has_ended(measure, heated, clockwork, make_case):
    cases = [make_case(device="cuda:0", batch_size=size) for size in (1, 2, 3)]
    asked = []
    script = lambda verb, case, server: asked.append((verb, len(server.alive)))  # noqa: E731
    server = heated()
    server.script = script
    measure(server, cases, settings=SUSTAINED, sustains=True)
    first = asked.index(("finish", 3))
    assert [verb for verb, _ in asked[first - 8 : first]] == ["turn"] * 8
    assert {alive for verb, alive in asked[:first] if verb == "turn"} == {3}


@pytest.mark.parametrize(
    ("settings", "device", "deadline", "reason"),
    [
        (SETTINGS, "cuda:0", float("inf"), "not asked for"),
        (SETTINGS, "cpu", float("inf"), "not asked for"),
        (SUSTAINED, "cuda:0", 0.5, "the time for the run was over"),
    ],
)
def test_a_step_in_sustained_use_that_is_missing_has_its_reason(
    measure, clockwork, make_case, settings, device, deadline, reason
):
    sustains = settings is SUSTAINED
    settings, case = structs.replace(settings, target=1e-9), make_case(device=device)
    record = measure(clockwork.server(), [case], settings=settings, sustains=sustains, deadline=deadline)[case.key]
    assert record.status == "ok"
    assert (record.facts.sustained_s, record.sustained_clocks) == (None, None)
    assert record.nulls["sustained_s"] == reason


def test_a_worker_that_refuses_sustained_use_keeps_its_measurement(measure, clockwork, make_case):
    asked = []

    def script(verb, case, server):
        asked.append(verb)
        return ERROR if asked[-1] == "turn" and clockwork.machine.now > 4 else None

    case = make_case(device="cuda:0")
    settings = structs.replace(SUSTAINED, target=1e-9)
    record = measure(clockwork.server(script=script), [case], settings=settings, sustains=True)[case.key]
    assert record.status == "ok"
    assert record.nulls["sustained_s"] == ERROR["cause"]


# ---------------------------------------------------------------------------------------------------- time and budgets


def test_budgets_are_pooled(measure, clockwork, family):
    step_s = {"resnet18": 0.002, "resnet50": 0.3}
    settings = structs.replace(SETTINGS, target=1e-9, budget_s=3.0)
    server = clockwork.server(lambda case, now: step_s[case.model], start_s=0.0)
    records = measure(server, family, settings=settings)
    assert {record.stop for record in records.values()} == {"budget"}
    assert clockwork.machine.now == pytest.approx(len(family) * settings.budget_s, rel=0.1)


def test_a_quick_worker_is_visited_more_often_and_a_round_is_short(measure, clockwork, family):
    step_s = {"resnet18": 0.002, "resnet50": 0.6}
    settings = structs.replace(SETTINGS, target=1e-9, budget_s=10.0)
    server = clockwork.server(lambda case, now: step_s[case.model], start_s=0.0)
    records = measure(server, family, settings=settings)
    quick, slow = (len(records[case.key].samples.at_s) for case in (family[0], family[3]))
    assert quick / slow == pytest.approx((0.61 / 0.04) ** 0.5, rel=0.15)
    at_s = records[family[0].key].samples.at_s[2:]
    assert max(after - before for before, after in itertools.pairwise(at_s)) < 3 * 0.7


def test_after_the_deadline_nothing_begins(measure, clockwork, family):
    server = clockwork.server()
    assert measure(server, family, deadline=-1.0) == {}
    assert server.workers == []


def test_at_the_deadline_live_workers_leave_and_the_waiting_do_not_start(measure, clockwork, family):
    settings = structs.replace(SETTINGS, target=1e-9, budget_s=100.0)
    server = clockwork.server(start_s=1.0)
    records = measure(server, family, settings=settings, deadline=4.5)
    assert set(records) == {case.key for case in family[:5]}
    assert {record.stop for record in records.values()} == {"time-limit"}
    server = clockwork.server()
    records = measure(server, family, settings=settings, live=3, deadline=clockwork.machine.now + 50.0)
    assert set(records) == {case.key for case in family[:3]}


# -------------------------------------------------------------------------------------------------------------- parts


def shared_parts(records):
    """Return the number of workers that were live in each part."""
    return collections.Counter(itertools.chain.from_iterable(parts(record) for record in records.values()))


@pytest.mark.parametrize(
    ("live", "anchors", "last"), [(1, 0, 5), (2, 1, 4), (3, 2, 3), (4, 2, 1), (5, 2, 1), (6, 0, 0), (None, 0, 0)]
)
def test_no_more_live_at_a_time_than_asked_and_anchors_live_through_all_parts(
    measure, clockwork, family, live, anchors, last
):
    server = clockwork.server()
    records = measure(server, family, live=live)
    assert set(records) == {case.key for case in family}
    assert {record.status for record in records.values()} == {"ok"}
    assert server.most_alive == (live or len(family))
    assert len(server.workers) == len(family)  # an anchor is the same process in all parts
    numbers = list(range(last + 1))
    assert sorted(shared_parts(records)) == numbers
    through = [record for record in records.values() if parts(record) == numbers]
    assert len(through) == (len(family) if last == 0 else anchors)
    fields = set(levels(list(records.values())).field.tolist())
    assert len(fields) == (len(family) if live == 1 else 1)


def test_memory_makes_parts_of_which_the_smallest_workers_see_all(measure, clockwork, family, monkeypatch):
    sizes = {case.key: (1 + index) * GIB for index, case in enumerate(family)}
    server = clockwork.server(host_bytes=lambda case: sizes[case.key])
    taken = lambda: sum(sizes[worker.case.key] for worker in server.alive if worker.case)  # noqa: E731
    monkeypatch.setattr(memory, "available", lambda: max(0, 16 * GIB - taken()))
    records = measure(server, [*family[:2], *reversed(family[2:])])
    assert {record.status for record in records.values()} == {"ok"}
    last = max(shared_parts(records))
    assert last >= 1
    assert [case.key for case in family if parts(records[case.key]) == list(range(last + 1))] == [
        family[0].key,
        family[1].key,
    ]
    assert len(server.workers) == len(family)


def test_anchors_remain_though_later_workers_are_smaller(measure, clockwork, family):
    sizes = {case.key: (9 - index) * GIB for index, case in enumerate(family)}
    records = measure(clockwork.server(host_bytes=lambda case: sizes[case.key]), family, live=3)
    through = [case.key for case in family if parts(records[case.key]) == [0, 1, 2, 3]]
    assert through == [family[1].key, family[2].key]


def test_an_anchor_ends_where_the_next_case_does_not_fit_with_it(measure, clockwork, family, monkeypatch):
    sizes = {case.key: GIB for case in family} | {family[1].key: 4 * GIB, family[5].key: 20 * GIB}
    server = clockwork.server(host_bytes=lambda case: sizes[case.key])
    taken = lambda: sum(sizes[worker.case.key] for worker in server.alive if worker.case)  # noqa: E731
    monkeypatch.setattr(memory, "available", lambda: max(0, 36 * GIB - taken()))
    room = Room(3)
    for case in family:
        room.learn(case, Footprint(host_bytes=sizes[case.key], device_bytes=None, device_free_bytes=None))
    # 1.5 x 20 GiB fit into 0.9 x 35 GiB beside the smaller anchor, but not into 0.9 x 31 GiB beside both.
    records = measure(server, [family[0], family[1], family[5], *family[2:5]], room=room)
    assert {record.status for record in records.values()} == {"ok"}
    assert parts(records[family[5].key])[0] in parts(records[family[0].key])
    assert parts(records[family[5].key])[0] not in parts(records[family[1].key])
    assert len(server.workers) == len(family)


def test_free_memory_of_a_device_is_asked_for_again_before_the_next_part(measure, clockwork, make_case, monkeypatch):
    cases = [make_case(device="cuda:0", batch_size=size) for size in (1, 2, 3, 4, 5, 6)]
    server = clockwork.server()

    def footprint(self, request):
        free = 16 * GIB - 3 * GIB * len(server.alive)  # 2 GiB and a context each
        return Footprint(host_bytes=1 << 20, device_bytes=2 * GIB, device_free_bytes=max(0, free))

    monkeypatch.setattr(Stepping, "footprint", footprint)
    records = measure(server, cases)
    assert {record.status for record in records.values()} == {"ok"}
    last = max(shared_parts(records))
    assert last >= 1
    assert sum(parts(record) == list(range(last + 1)) for record in records.values()) == 2
    assert len(server.workers) == len(cases)


def test_an_anchor_that_fails_between_parts_costs_its_own_record(measure, clockwork, family):
    asked = collections.Counter()

    def script(verb, case, server):
        if verb != "footprint":
            return None
        asked[case.key] += 1
        return ERROR if asked[case.key] == 2 and case == family[0] else None

    records = measure(clockwork.server(script=script), family, live=4)
    assert records.pop(family[0].key).status == "error"
    assert {record.status for record in records.values()} == {"ok"}


def test_a_failure_to_start_does_not_end_an_anchor(measure, clockwork, family):
    records = measure(clockwork.server(script=fails("prepare", lambda case: case == family[3], ERROR)), family, live=3)
    assert records[family[3].key].status == "error"
    last = max(shared_parts({key: record for key, record in records.items() if record.status == "ok"}))
    assert sum(record.status == "ok" and parts(record) == list(range(last + 1)) for record in records.values()) == 2


def test_cases_with_a_record_from_before_a_break_are_measured_again_with_the_others(measure, clockwork, family):
    clockwork.machine.now = 1000.0
    server = clockwork.server()
    records = measure(server, family[2:], anchors=tuple(family[:2]), first_part=3, live=3)
    assert set(records) == {case.key for case in family}
    assert min(shared_parts(records)) == 3
    last = max(shared_parts(records))
    for anchor in family[:2]:
        assert parts(records[anchor.key]) == list(range(3, last + 1))
    assert all(record.samples.at_s[0] >= 1000.0 for record in records.values())


def test_times_are_on_one_clock_and_no_two_turns_at_once(measure, clockwork, family):
    records = measure(clockwork.server(), family, live=4)
    turns = sorted(
        (at_s, part, record.case.key)
        for record in records.values()
        for at_s, part in zip(record.samples.at_s, record.samples.part, strict=True)
    )
    assert len({at_s for at_s, *_ in turns}) == len(turns)
    assert [part for _, part, _ in turns] == sorted(part for _, part, _ in turns)
    for record in records.values():
        assert list(record.samples.at_s) == sorted(record.samples.at_s)


# ------------------------------------------------------------------------------------------------------------ folders


def test_references_go_with_the_last_case_of_their_baseline(clockwork, family, caches, tmp_path):
    run = ReplicateRun(
        clockwork.server(), Todo(replicate=0, cases=tuple(family)), settings=SETTINGS, caches=caches,
        room=Room(3), epoch=0.0,
    )  # fmt: skip
    left = {case: case.baseline for case in family}
    for event in run.measure():
        if isinstance(event, Record):
            del left[event.case]
        there = {path.name for path in tmp_path.glob("references-*")}
        for baseline in {case.baseline for case in family}:
            path = pathlib.Path(caches._path("references", baseline))
            if baseline not in left.values():
                assert path.name not in there
    assert not left
    assert not list(tmp_path.glob("references-*"))
    assert len(list(tmp_path.glob("compiler-*"))) == len(family)


def test_the_first_replicate_compiles_cold_and_later_replicates_warm(measure, clockwork, make_case):
    case = make_case(runtime="compile")
    first, second, third = (measure(clockwork.server(), [case], replicate=index)[case.key] for index in range(3))
    assert first.facts.compile_s == pytest.approx(0.49, abs=0.001)
    assert first.facts.warm_compile_s is None
    assert "later replicates" in first.nulls["warm_compile_s"]
    for record in (second, third):
        assert record.facts.warm_compile_s == pytest.approx(0.49, abs=0.001)
        assert record.facts.compile_s is None
        assert "cache" in record.nulls["compile_s"]


def test_a_compilation_after_a_failed_compilation_is_not_called_cold(measure, clockwork, make_case):
    case, other = make_case(runtime="compile"), make_case()

    def script(verb, case, server):
        crowded = len(server.alive) > 1
        return NO_MEMORY if verb == "prepare" and case.runtime == "compile" and crowded else None

    record = measure(clockwork.server(script=script), [other, case])[case.key]
    assert record.facts.compile_s is None
    assert record.facts.warm_compile_s is not None
