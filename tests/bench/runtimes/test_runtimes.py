import pathlib
import sys

import pytest

from bench.measure.device import Unsupported
from bench.process.messages import CheckEquality, Finish, MeasureFootprint, Prepare, TakeTurn
from bench.runtimes import engine_of
from bench.tasks.workload import BUILDERS, build
from bench.worker.serve import WorkerServer
from results.schema.labels import RUNTIMES, TASKS, Runtime
from tests.bench.runtimes import session

BELOW_THE_WALL = ("worker", "validate", "tasks", "measure", "costs")
BENCH = pathlib.Path(session.__file__).parents[3] / "bench"


@pytest.fixture
def third(monkeypatch):
    """Add the session as a runtime: its facts, and its module."""
    monkeypatch.setitem(RUNTIMES, "session", Runtime(engine="session", compiles=True, tasks=("inference",)))
    monkeypatch.setitem(sys.modules, "bench.runtimes.session", session)
    monkeypatch.setattr("bench.tasks.networks.create_network", lambda name, **_: session.Small())
    monkeypatch.setattr(session.RUNTIME, "fault", None)
    return session.RUNTIME


@pytest.fixture
def case(make_case):
    return make_case(model="cifar_resnet20", batch_size=6, image_size=32, runtime="session", threads=1)


@pytest.fixture
def worker(third, case, tmp_path):
    worker = WorkerServer()
    worker.prepare(Prepare(case=case, cache=str(tmp_path), token="its own"))  # noqa: S106 - it guards nothing
    return worker


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_each_runtime_has_an_engine_that_runs_its_tasks_or_says_why_not(runtime, make_case):
    assert RUNTIMES[runtime].tasks
    assert set(RUNTIMES[runtime].tasks) <= set(TASKS)
    for task in RUNTIMES[runtime].tasks:
        reason = engine_of(runtime).unsupported(make_case(model="cifar_resnet20", runtime=runtime, task=task))
        assert reason is None or reason.strip("\n") == reason != ""


def test_each_task_has_a_builder():
    assert set(BUILDERS) == set(TASKS)


def test_only_an_engine_knows_a_runtime_by_name():
    for path in (path for folder in BELOW_THE_WALL for path in (BENCH / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert [name for name in RUNTIMES if f'"{name}"' in text] == [], path


def test_an_engine_that_is_not_torch_is_timed_on_its_own_queue(worker):
    prepared = worker.workload.prepared
    turn = worker.turn(TakeTurn(steps=5, drop=2))
    assert worker.device is prepared.device
    assert prepared.device.marks == 7  # where the block begins, and at each border of its timed steps
    assert prepared.first_steps == 1
    assert len(turn.phase_s) == 5
    assert all(seconds > 0 for seconds in turn.step_s)
    assert worker.footprint(MeasureFootprint()).host_bytes >= 1


def test_an_engine_that_is_not_torch_reports_what_ran(worker):
    finished = worker.finish(Finish())
    assert finished.ran == worker.workload.prepared.ran()
    assert finished.notes == ("numpy ran it",)
    assert finished.facts.graph_breaks is None
    assert "no graph" in finished.nulls["graph_breaks"]
    assert "compile_s" not in finished.nulls  # it compiles, and the parent knows its first step


def test_an_engine_that_shows_nothing_says_why(worker):
    worker.workload.prepared.fault = "blind"
    finished = worker.finish(Finish())
    assert finished.ran is None
    assert "does not show" in finished.nulls["ran"]


def test_an_honest_engine_that_is_not_torch_is_equal(worker, tmp_path):
    equality = worker.check(CheckEquality(folder=str(tmp_path))).equality
    assert equality.verdict == "equal"
    assert equality.what == "output"


@pytest.mark.parametrize("fault", ["scaled", "keeps its weights", "keeps its input"])
def test_a_wrong_engine_that_is_not_torch_is_caught(worker, tmp_path, fault):
    worker.workload.prepared.fault = fault
    assert worker.check(CheckEquality(folder=str(tmp_path))).equality.verdict == "wrong"


@pytest.mark.parametrize(
    ("axes", "reason"), [({"task": "training"}, "runs no training"), ({"precision": "bf16"}, "has no bf16")]
)
def test_what_an_engine_cannot_run_is_unsupported(third, make_case, axes, reason):
    with pytest.raises(Unsupported, match=reason):
        build(make_case(model="cifar_resnet20", image_size=32, runtime="session", threads=1, **axes))
