import signal

import pytest
from msgspec import structs

from bench.machine import memory
from bench.process.client import WorkerClient
from bench.process.forkserver import WorkerDied
from bench.process.protocol import Failed
from results.schema.labels import TASKS
from results.schema.record import Samples
from results.schema.run import Settings
from tests.bench.fakes import FakeServer

SETTINGS = Settings(replicates=1, target=0.01, budget_s=0.2, timeout_s=60, time_limit_s=None)
SAMPLES = Samples(step_s=(0.01,) * 4, turn=(0, 1, 2, 3), wall_s=(0.01,) * 4, warmup=0, steady=True)


def changing(on, change):
    """Return a server whose workers change their reply to a verb so."""
    return FakeServer(lambda verb, case, server: change if verb == on else None)


@pytest.fixture
def client(make_case, tmp_path):
    def client(server, replicate=0, *, warm=False, **axes):
        client = WorkerClient(server, make_case(**axes), replicate, SETTINGS)
        client.prepare(str(tmp_path / "cache"), warm=warm)
        return client

    return client


def test_a_case_goes_from_its_first_step_to_its_record(client):
    server = FakeServer()
    subject = client(server, task="training", layout="nhwc")
    assert subject.phases == ("forward", "backward", "optimizer")
    assert [len(phases) for phases in subject.turn(steps=2, drop=1).phase_s] == [3, 3]
    record = subject.end(SAMPLES, "budget")
    assert (record.status, record.stop, record.case) == ("ok", "budget", subject.case)
    assert record.facts.first_step_s == 0.5
    assert record.equality.verdict == "equal"
    assert record.ran.layout == "nhwc"
    assert not server.alive


@pytest.mark.parametrize("phases", [("forward", "evaluation"), ("step",), ("wall",)])
def test_a_phase_without_a_field_fails_before_anything_is_timed(client, phases):
    server = changing("prepare", {"phases": phases})
    with pytest.raises(Failed, match=f"no field for the times of the phase '{phases[-1]}'"):
        client(server)


def test_every_phase_of_a_task_has_its_field():
    phases = {phase for task in TASKS.values() for phase in task.phases}
    assert {f"{phase}_s" for phase in phases} <= set(Samples.__struct_fields__)


@pytest.mark.parametrize(
    ("replicate", "axes", "reason"),
    [(0, {}, "it is the baseline"), (1, {"layout": "nhwc"}, "first replicate"), (1, {}, "first replicate")],
)
def test_what_is_not_compared_with_the_baseline_says_why(client, replicate, axes, reason):
    record = client(FakeServer(), replicate, **axes).end(SAMPLES, "target")
    assert record.equality is None
    assert reason in record.nulls["equality"]


def test_a_comparison_that_fails_costs_nothing_else(client):
    death = WorkerDied("killed by SIGKILL", signal_number=signal.SIGKILL)
    record = client(changing("check", death), layout="nhwc").end(SAMPLES, "target")
    assert record.status == "ok"
    assert "SIGKILL" in record.nulls["equality"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"token": "another's"}, "error"),
        ({"wall_s": -1.0}, "error"),
        ({"phase_s": [[0.1]]}, "error"),
        ({"failed": "out-of-memory", "cause": "CUDA out of memory"}, "out-of-memory"),
        (WorkerDied("silent", hung=True), "timeout"),
        (WorkerDied("killed by SIGSEGV", signal_number=signal.SIGSEGV), "crash"),
    ],
    ids=str,
)
def test_a_turn_that_comes_to_nothing_has_the_status_of_its_record(client, change, status):
    subject = client(changing("turn", change))
    with pytest.raises(Failed) as caught:
        subject.turn(steps=2, drop=0)
    record = subject.fail(caught.value, SAMPLES)
    assert (record.status, record.samples) == (status, SAMPLES)
    assert record.cause
    assert "\n" not in record.cause


def test_two_clients_that_swap_their_workers_are_caught(client):
    first, second = client(FakeServer()), client(FakeServer())
    first._channel, second._channel = second._channel, first._channel
    with pytest.raises(Failed, match="another case"):
        first.turn(steps=1, drop=0)


def test_a_kill_by_the_kernel_for_memory_is_no_crash(client, monkeypatch):
    kills = iter([7, 8])
    monkeypatch.setattr(memory, "kernel_oom_kills", lambda: next(kills))
    subject = client(changing("turn", WorkerDied("killed by SIGKILL", signal_number=signal.SIGKILL)))
    with pytest.raises(Failed) as caught:
        subject.turn(steps=1, drop=0)
    assert caught.value.status == "out-of-memory"


@pytest.mark.parametrize(
    ("host_bytes", "device", "compiling", "rooms"),
    [
        (10 << 30, {}, False, 6),
        (10 << 30, {}, True, 5),
        (200 << 30, {}, False, 0),
        (1 << 20, {"device_bytes": 2 << 30, "device_free_bytes": 20 << 30}, False, 4),
        (1 << 20, {"device_bytes": 2 << 30, "device_free_bytes": None}, False, 61_440),
    ],
)
def test_room_is_what_host_and_device_both_hold(client, monkeypatch, host_bytes, device, compiling, rooms):
    monkeypatch.setattr(memory, "available", lambda: 100 << 30)
    subject = client(changing("footprint", {"host_bytes": host_bytes, **device}))
    assert subject.room_for_more(compiling=compiling) == rooms


def test_compile_times_are_first_steps_less_a_steady_one(client, tmp_path):
    subject = client(FakeServer(), runtime="compile")
    subject.prepare_again(str(tmp_path / "cache"))
    facts = subject.end(SAMPLES, "target").facts
    assert facts.compile_s == facts.warm_compile_s == pytest.approx(0.49)


@pytest.mark.parametrize(("replicate", "reason"), [(0, "no process started"), (1, "first replicate")])
def test_a_warm_compile_time_that_was_not_measured_says_why(client, replicate, reason):
    record = client(FakeServer(), replicate, runtime="compile").end(SAMPLES, "target")
    assert record.facts.warm_compile_s is None
    assert reason in record.nulls["warm_compile_s"]


def test_a_compilation_from_a_filled_cache_is_never_called_cold(client):
    record = client(FakeServer(), 1, warm=True, runtime="compile").end(SAMPLES, "budget")
    assert (record.facts.compile_s, record.facts.warm_compile_s) == (None, pytest.approx(0.49))
    assert "cache" in record.nulls["compile_s"]


def test_an_eager_case_has_no_compile_time(client):
    record = client(FakeServer()).end(SAMPLES, "target")
    assert structs.asdict(record.facts)["compile_s"] is None
    assert record.nulls["compile_s"] == record.nulls["warm_compile_s"] == "nothing is compiled"
