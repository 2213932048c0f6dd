import msgspec
import pytest

from bench.machine import memory
from bench.schedule.fitting import run as runner
from bench.schedule.fitting.fit import FitRequest
from bench.schedule.fitting.run import FIT_SUITE, run_fits
from bench.schedule.progress import Note
from bench.suites.suite import custom_suite
from results.errors import InputError
from tests.bench.fakes import FakeServer
from tests.bench.runs import Shared
from tests.bench.schedule.fitting.test_fit import Worker as Fitting
from tests.bench.schedule.fitting.test_fit import limit_for
from tests.conftest import _run

REQUEST = FitRequest(memory_bytes=limit_for(8), verify=False, time_limit_s=None)
BOTH = {"model": ["resnet18"], "task": ["inference", "training"]}


class Worker(Fitting):
    """Describes the machine of the tests."""

    def __init__(self):
        super().__init__({"environment": msgspec.to_builtins(_run().environment)})


@pytest.fixture
def faked(monkeypatch):
    def let(script=lambda verb, case, server: None):
        monkeypatch.setattr(memory, "available", lambda: 1 << 40)
        monkeypatch.setattr(runner, "ForkServer", lambda: Shared(FakeServer(script, Worker)))

    return let


def refusing(verb, case, server):
    refuse = verb == "prepare" and case.task == "training"
    return {"failed": "unsupported", "cause": "no kernel"} if refuse else None


def test_the_file_holds_a_line_for_each_case_whatever_its_batch(faked, tmp_path):
    faked()
    file = run_fits(custom_suite({**BOTH, "batch_size": [1, 2]}), REQUEST, device="cpu", out=tmp_path)
    assert (file.run.suite, file.complete, file.problems) == (FIT_SUITE, True, ())
    assert [(fit.case.task, fit.predicted_batch) for fit in file.bodies("fit")] == [("inference", 8), ("training", 8)]


def test_a_case_that_cannot_run_leaves_the_others(faked, tmp_path):
    faked(refusing)
    notes = []
    show = lambda event: notes.append(event.line) if isinstance(event, Note) else None  # noqa: E731
    file = run_fits(custom_suite(BOTH), REQUEST, device="cpu", out=tmp_path, show=show)
    assert len(file.bodies("fit")) == 1
    assert notes[0].endswith("no kernel")


def test_a_single_case_that_cannot_run_is_bad_input(faked, tmp_path):
    faked(refusing)
    with pytest.raises(InputError, match="no kernel"):
        run_fits(custom_suite({**BOTH, "task": ["training"]}), REQUEST, device="cpu", out=tmp_path)
    assert list(tmp_path.iterdir()) == []
