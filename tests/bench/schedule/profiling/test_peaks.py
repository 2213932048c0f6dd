import msgspec
import pytest

from bench.process.forkserver import WorkerDied
from bench.schedule.profiling import peaks as runner
from bench.schedule.profiling.peaks import NO_SHEET, PEAKS_SUITE, run_peaks
from results.errors import InputError
from tests.bench.fakes import FakeServer, FakeWorker
from tests.bench.runs import Shared
from tests.conftest import _run


class Worker(FakeWorker):
    """Describes the machine of the tests."""

    asked = None

    def __init__(self):
        super().__init__({"environment": msgspec.to_builtins(_run().environment)})

    def device_peaks(self, request):
        Worker.asked = request
        return super().device_peaks(request)


@pytest.fixture
def faked(monkeypatch):
    def let(script=lambda verb, case, server: None):
        server = FakeServer(script, Worker)
        monkeypatch.setattr(runner, "ForkServer", lambda: Shared(server))
        return server

    return let


def measured(out, **options):
    usual = {"device": "cpu", "threads": None, "precisions": ("amp-bf16",), "seconds": 2.0, "out": out}
    return run_peaks(**{**usual, **options})


def test_the_file_holds_the_peaks(faked, tmp_path):
    server = faked()
    file = measured(tmp_path)
    assert (file.run.suite, file.complete, file.problems) == (PEAKS_SUITE, True, ())
    (peaks,) = file.bodies("peaks")
    assert (peaks.device, peaks.device_name, peaks.nulls) == ("cpu", "Made-up CPU", {"sheet": NO_SHEET})
    assert Worker.asked.precisions == ("fp32", "amp-bf16")
    assert not server.alive


@pytest.mark.parametrize("change", [WorkerDied("killed by SIGKILL"), {"failed": "error", "cause": "no room"}])
def test_nothing_is_written_of_what_could_not_be_measured(faked, tmp_path, change):
    faked(lambda verb, *_: change if verb == "device_peaks" else None)
    with pytest.raises(InputError, match=r"could not be measured: (killed|no room)"):
        measured(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_precision_is_refused(tmp_path):
    with pytest.raises(InputError, match="unknown precision 'fp8'"):
        measured(tmp_path, precisions=("fp8",))
