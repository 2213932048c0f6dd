"""Several cards that are measured at once, each by a thread; no card is needed."""

import contextlib
import functools
import itertools
import os
import signal
import threading
import time

import msgspec
import pytest
from msgspec import structs

import bench
import results
from bench.schedule import run as runner
from results.metrics.levels import levels
from results.schema.lines.run import Settings
from tests.bench import campaign
from tests.bench.fakes import FakeServer, FakeWorker
from tests.bench.runs import Recorder

CARDS = ("cuda:0", "cuda:1")
AT_ONCE = campaign.QUICK | {"cards": "at-once"}
LONG = AT_ONCE | {"target": 1e-9, "budget_s": 30.0}
WAIT_S = 30.0
NO_MEMORY = {"failed": "out-of-memory", "cause": "CUDA out of memory"}


@pytest.fixture
def plan(make_case):
    """Two cases of each card; the batch size is that of the card, so that faults can name it."""
    cards = dict(enumerate(CARDS, start=1))
    return [
        make_case(batch_size=size, layout=layout, device=device)
        for layout in ("nchw", "nhwc")
        for size, device in cards.items()
    ]


@pytest.fixture
def fakes(monkeypatch, make_run, make_static):
    """Let runs have fake workers in this process, for which a script may answer; gives their server."""
    given = {"environment": msgspec.to_builtins(make_run().environment), "static": msgspec.to_builtins(make_static())}

    def fakes(script=lambda verb, case, server: None, worker=FakeWorker):
        server = FakeServer(script, worker=functools.partial(worker, given))
        monkeypatch.setattr(runner, "ForkServer", lambda: contextlib.nullcontext(server))
        return server

    return fakes


@pytest.fixture
def serving(tmp_path, monkeypatch):
    """Let runs have real processes, with these faults, of the real fork server; gives the server."""
    folder = tmp_path / "fakes"

    @contextlib.contextmanager
    def serving(faults):
        campaign.prepare(folder, faults=faults)
        monkeypatch.setenv(campaign.FOLDER, str(folder))
        with campaign.Server() as server:
            monkeypatch.setattr(runner, "ForkServer", lambda: contextlib.nullcontext(server))
            yield server
            assert [process.pid for process in campaign.descendants(folder)] in ([server.pid], [])
        assert not campaign.descendants(folder)

    return serving


@pytest.fixture(autouse=True)
def no_thread_survives():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def rendezvous(on):
    """Return a script in which the first such question to each card is answered when both cards are asked."""
    together = threading.Barrier(len(CARDS), timeout=WAIT_S)
    met = set()

    def script(verb, case, server):
        if verb == on and case.device not in met:
            met.add(case.device)
            together.wait()

    return script


def statuses(records):
    return {(record.case.device, record.case.layout): record.status for record in records}


# -------------------------------------------------------------------------------------------------- at the same time


@pytest.mark.parametrize("on", ["turn", "footprint", "finish"])
def test_cards_work_at_the_same_time(fakes, plan, tmp_path, on):
    server = fakes(rendezvous(on))
    records = bench.run(plan, out=tmp_path, **AT_ONCE)
    assert records.files[0].complete
    assert records.problems == ()
    assert len(records) == len(plan)
    assert set(statuses(records).values()) == {"ok"}
    assert not server.alive


def test_by_default_cards_do_not_meet(fakes, plan, tmp_path):
    asked = []
    fakes(lambda verb, case, server: asked.append(case.device) if verb == "turn" else None)
    records = bench.run(plan, out=tmp_path, **campaign.QUICK)
    assert records.files[0].run.settings.cards == "one-by-one"
    assert [device for device, _ in itertools.groupby(asked)] == list(CARDS)


def test_each_card_has_its_own_drift_and_a_baseline_of_its_own(fakes, plan, tmp_path):
    fakes()
    records = bench.run(plan, out=tmp_path, **AT_ONCE | {"replicates": 3})
    assert len(records) == 3 * len(plan)
    assert len(set(levels(list(records)).field.tolist())) == 3 * len(CARDS)
    assert results.table(records)["speedup"].notna().all()


def test_real_processes_of_two_cards_end_in_records(serving, plan, tmp_path):
    with serving({}):
        records = bench.run(plan, out=tmp_path / "runs", **AT_ONCE | {"replicates": 4})
    assert records.files[0].complete
    assert {(record.case, record.replicate) for record in records} == set(itertools.product(plan, range(4)))
    assert {record.status for record in records} == {"ok"}


def test_a_case_that_memory_did_not_hold_next_to_the_other_card_is_measured_when_both_are_done(fakes, plan, tmp_path):
    company = []

    def script(verb, case, server):
        if verb == "prepare" and case.device == CARDS[1]:
            company.append(len(server.alive) - 1)
            return NO_MEMORY if len(company) == 1 else None
        return None

    fakes(script)
    records = bench.run(plan[:2], out=tmp_path, **AT_ONCE)  # a case of each card
    assert company[1:] == [0]
    assert {record.case.device: record.status for record in records} == dict.fromkeys(CARDS, "ok")
    (again,) = [record for record in records if record.case.device == CARDS[1]]
    assert again.notes == ("measured alone: it did not fit into memory together with others",)


def test_each_card_has_its_cases_in_sustained_use_by_itself_at_the_same_time(fakes, plan, tmp_path):
    sustained = []
    together = threading.Barrier(len(CARDS), timeout=WAIT_S)

    class Soaked(FakeWorker):
        """Steps half as fast in the long turns of sustained use, the first of which waits for the other card's."""

        def turn(self, request):
            if request.steps < 50:
                return super().turn(request)
            self.step_s = 0.02
            if self.case.device not in {case.device for case in sustained}:
                together.wait()
            sustained.append(self.case)
            return super().turn(request)

    server = fakes(worker=Soaked)
    records = bench.run(plan, out=tmp_path, **AT_ONCE | {"replicates": 2, "sustained_s": 0.2})
    assert set(statuses(records).values()) == {"ok"}
    last = [record for record in records if record.replicate == 1]
    assert {record.case for record in last} == set(plan)
    for record in last:
        assert record.facts.sustained_s == pytest.approx(0.02, rel=0.01)
        assert max(record.samples.step_s) < 0.011
    assert {record.facts.sustained_s for record in records if record.replicate == 0} == {None}
    for device in CARDS:  # case after case
        assert len(list(itertools.groupby(case for case in sustained if case.device == device))) == 2
    assert not server.alive


def test_a_file_without_the_setting_was_measured_one_by_one():
    settings = Settings(replicates=1, target=0.01, budget_s=1.0, timeout_s=60.0, time_limit_s=None, cards="at-once")
    older = {name: value for name, value in structs.asdict(settings).items() if name != "cards"}
    assert msgspec.convert(older, Settings).cards == "one-by-one"


# ------------------------------------------------------------------------------------------------- failures and ends


@pytest.mark.parametrize("on", ["prepare", "turn", "finish"])
def test_a_crash_on_a_card_costs_its_own_record(serving, plan, tmp_path, on):
    with serving({f"2 nhwc {on}": "killed"}):
        records = bench.run(plan, out=tmp_path / "runs", **AT_ONCE)
    assert statuses(records) == {
        ("cuda:0", "nchw"): "ok",
        ("cuda:0", "nhwc"): "ok",
        ("cuda:1", "nchw"): "ok",
        ("cuda:1", "nhwc"): "crash",
    }
    assert records.files[0].complete


@pytest.mark.parametrize("on", ["prepare", "turn"])
def test_an_interruption_ends_a_worker_that_hangs_on_the_other_card_and_the_run_goes_on(serving, plan, tmp_path, on):
    began = time.monotonic()
    with serving({f"2 nchw {on}": "hang"}), pytest.raises(runner.Interrupted) as stopped:
        bench.run(plan, out=tmp_path / "runs", show=Recorder(interrupt_after=1), **AT_ONCE)
    assert time.monotonic() - began < campaign.QUICK["timeout_s"] / 2
    (before,) = results.load(stopped.value.path)
    assert before.case.device == CARDS[0]
    with serving({}):
        records = bench.resume(stopped.value.path)
    assert records[0] == before
    assert records.files[0].complete
    assert {record.case for record in records} == set(plan)
    assert set(statuses(records).values()) == {"ok"}


def test_a_resumed_run_measures_the_cards_at_once_again(fakes, plan, tmp_path):
    fakes()
    with pytest.raises(runner.Interrupted) as stopped:
        bench.run(plan, out=tmp_path, show=Recorder(interrupt_after=4), **AT_ONCE | {"replicates": 3})
    fakes(rendezvous("turn"))
    records = bench.resume(stopped.value.path)
    assert records.files[0].run.settings.cards == "at-once"
    assert records.files[0].complete
    assert {(record.case, record.replicate) for record in records} == set(itertools.product(plan, range(3)))


def test_ctrl_c_while_all_cards_work_kills_their_workers(fakes, plan, tmp_path):
    meet = rendezvous("turn")

    def script(verb, case, server):
        if verb != "turn":
            return
        meet(verb, case, server)
        if case.device == CARDS[0]:
            os.kill(os.getpid(), signal.SIGINT)
        until = time.monotonic() + WAIT_S
        while not all(worker.killed for worker in server.alive) and time.monotonic() < until:
            time.sleep(0.01)

    server = fakes(script)
    began = time.monotonic()
    with pytest.raises(runner.Interrupted):
        bench.run(plan, out=tmp_path, **AT_ONCE)
    assert time.monotonic() - began < WAIT_S
    assert sum(worker.killed for worker in server.workers) == len(plan)
    assert not server.alive


def test_a_bug_in_the_thread_of_a_card_reaches_the_caller_and_ends_all_workers(fakes, plan, tmp_path):
    def script(verb, case, server):
        if verb == "turn" and case.device == CARDS[1]:
            raise RuntimeError("a bug")

    server = fakes(script)
    with pytest.raises(RuntimeError, match="a bug"):
        bench.run(plan, out=tmp_path, **LONG)
    assert not server.alive


def test_a_lost_fork_server_ends_the_threads_of_all_cards(serving, plan, tmp_path):
    with serving({}) as server:

        def show(event):
            if getattr(event, "phase", None) == "measuring":
                server._process.kill()

        with pytest.raises(runner.Stopped, match="was lost"):
            bench.run(plan, out=tmp_path / "runs", show=show, **LONG)
