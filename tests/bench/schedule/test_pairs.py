import contextlib
import time
import types

import pytest
from msgspec import structs

from bench.machine.nvml import Gpu
from bench.process import client
from bench.process.forkserver import WorkerDied
from bench.process.gpu_watch import GpuWatch
from bench.schedule import pairs as module
from bench.schedule.pairs import Arm, Pairs, look_text
from bench.schedule.progress import Note, Progress
from results.errors import InputError
from results.metrics.levels import levels
from results.schema.lines.run import Settings
from results.statistics.looks import LOOKS, judge
from tests.bench.driver import driver
from tests.bench.fakes import FakeServer, FakeWorker

SETTINGS = Settings(replicates=40, target=0.5, budget_s=0.02, timeout_s=60, time_limit_s=None)


class Slower(FakeWorker):
    step_s = 0.0115


@pytest.fixture
def pairs(make_case, tmp_path):
    """Pairs of two fake arms; gives them and both servers."""

    def make(worker_b=FakeWorker, script_b=lambda what, case, server: None, settings=SETTINGS, **limit):
        servers = FakeServer(), FakeServer(script_b, worker=worker_b)
        arms = [
            Arm(name=name, server=server, case=make_case(), cache=tmp_path)
            for name, server in zip("ab", servers, strict=True)
        ]
        return Pairs(*arms, margin=0.02, settings=settings, **limit), servers

    return make


def _records(events):
    return [event for event in events if isinstance(event, tuple)]


def test_pairs_end_at_the_first_look_with_a_verdict(pairs):
    measured, servers = pairs(Slower)
    events = list(measured.measure())
    records = _records(events)
    assert len(records) == min(LOOKS)
    assert all(record.status == "ok" for pair in records for record in pair)
    assert [record.replicate for record, _ in records] == list(range(len(records)))
    (note,) = [event.line for event in events if isinstance(event, Note)]
    assert note.endswith(": slower")
    assert {event.phase for event in events if isinstance(event, Progress)} == {"preparing", "measuring"}
    assert not any(server.alive for server in servers)


def test_both_arms_share_a_clock_over_all_pairs(pairs):
    measured, _ = pairs(Slower)
    pairs_measured = _records(measured.measure())
    for a, b in pairs_measured:
        assert set(a.samples.part) == set(b.samples.part) == {0}
        assert not a.samples.arm_s
        assert not b.samples.arm_s
        assert len(set(levels([a, b], ["a", "b"]).field.tolist())) == 1
    ends = [max(*a.samples.at_s, *b.samples.at_s) for a, b in pairs_measured]
    assert ends == sorted(ends)


def test_only_the_first_pair_compiles_cold(make_case, tmp_path):
    arms = [Arm(name=name, server=FakeServer(), case=make_case(runtime="compile"), cache=tmp_path) for name in "ab"]
    records = _records(Pairs(*arms, margin=0.02, settings=SETTINGS).measure())
    assert [record.facts.warm_compile_s is None for record in records[0]] == [True, True]
    assert all(record.facts.compile_s is None for pair in records[1:] for record in pair)


def test_a_device_that_admits_a_single_process_is_bad_input_and_no_regression(pairs):
    busy = {"failed": "error", "cause": "CUDA error: CUDA-capable device(s) is/are busy or unavailable"}
    measured, servers = pairs(script_b=lambda what, case, server: busy if what == "prepare" else None)
    with pytest.raises(InputError, match=r"admits a single process \(CUDA error.*nvidia-smi -c DEFAULT"):
        list(measured.measure())
    assert not any(server.alive for server in servers)


def test_a_compute_mode_is_asked_for_before_the_second_arm_starts(make_case, tmp_path, monkeypatch):
    gpu = Gpu(nvml=driver(ComputeMode=3), handle="GPU-aa")
    monkeypatch.setattr(client, "GpuWatch", lambda: GpuWatch(find=lambda identity: gpu))
    servers = FakeServer(), FakeServer()
    case = make_case(device="cuda:0")
    arms = [Arm(name=name, server=one, case=case, cache=tmp_path) for name, one in zip("ab", servers, strict=True)]
    with pytest.raises(InputError, match="its compute mode is EXCLUSIVE_PROCESS"):
        list(Pairs(*arms, margin=0.02, settings=SETTINGS).measure())
    assert not servers[0].alive
    assert not servers[1].workers


def test_a_pair_without_a_ratio_is_the_last(pairs):
    death = WorkerDied("killed by SIGSEGV")
    measured, servers = pairs(script_b=lambda what, case, server: death if what == "turn" else None)
    ((a, b),) = _records(measured.measure())
    assert (a.status, b.status) == ("ok", "crash")
    assert not any(server.alive for server in servers)


def test_the_deadline_ends_the_first_pair_and_no_other_begins(pairs):
    settings = structs.replace(SETTINGS, target=1e-9, budget_s=2.0)
    (pair,) = _records(pairs(settings=settings, deadline=time.perf_counter())[0].measure())
    assert [record.stop for record in pair] == ["time-limit", "time-limit"]


def test_no_pair_begins_that_would_be_cut_short(pairs, monkeypatch):
    began, passed = time.perf_counter(), [0.0]
    monkeypatch.setattr(module, "time", types.SimpleNamespace(perf_counter=lambda: began + sum(passed)))

    def takes_20_s(what, case, server):
        if what == "prepare":
            passed.append(20.0)

    records = _records(pairs(script_b=takes_20_s, deadline=began + 65.0)[0].measure())
    assert len(records) == 3


def test_pairs_that_are_given_up_leave_no_worker(pairs):
    measured, servers = pairs()
    with contextlib.closing(measured.measure()) as events:
        while not (isinstance(event := next(events), Progress) and event.phase == "measuring"):
            pass
        assert all(server.alive for server in servers)
    assert not any(server.alive for server in servers)


def test_a_look_is_a_line():
    assert look_text(judge([1.01] * 3, 0.02)).startswith("3 pairs: ")
    assert "b / a = 1.0" in look_text(judge([1.0, 1.001, 0.999, 1.002] * 5, 0.02))
