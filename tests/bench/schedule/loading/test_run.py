import msgspec
import pytest

import results
from bench.process.forkserver import WorkerDied
from bench.schedule.loading import run as runner
from bench.schedule.loading.clients import LoadingFailed
from bench.schedule.loading.figures import REPETITIONS
from bench.schedule.loading.request import LoadingRequest
from bench.schedule.loading.run import SUITE, run_loader
from results.errors import InputError
from results.schema.lines.loading import LOADING_STAGES
from tests.bench.fakes import FakeServer, FakeWorker
from tests.bench.loading.photos import write_photos
from tests.bench.runs import Shared
from tests.conftest import _run


class Worker(FakeWorker):
    """Describes the machine of the tests."""

    def __init__(self):
        super().__init__({"environment": msgspec.to_builtins(_run().environment)})


@pytest.fixture
def faked(monkeypatch):
    """Let fakes answer; `script` may change what they say."""

    def let(script=lambda verb, case, server: None):
        server = FakeServer(script, Worker)
        monkeypatch.setattr(runner, "ForkServer", lambda: Shared(server))
        return server

    return let


REQUEST = LoadingRequest(data="photos", workers=(0, 2), seconds=0.1)


def test_the_file_holds_the_loading(faked, tmp_path):
    server = faked()
    file = run_loader(REQUEST, device="cpu", out=tmp_path / "runs")
    assert (file.run.suite, file.run.plan, file.run.settings, file.complete) == (SUITE, (), None, True)
    assert file.problems == file.notes == ()
    (loading,) = file.bodies("loading")
    assert (loading.data, loading.images, loading.network.model) == ("photos", 1000, "resnet18")
    assert [stage.name for stage in loading.stages] == list(LOADING_STAGES)
    assert [(rate.workers, len(rate.image_s)) for rate in loading.rates] == [(0, REPETITIONS), (2, REPETITIONS)]
    assert len(loading.network_image_s) == REPETITIONS
    assert loading.nulls.keys() == {"transfer"}
    assert not server.alive


def test_a_network_without_room_is_null_with_its_reason(faked, tmp_path):
    faked(lambda verb, *_: {"failed": "out-of-memory", "cause": "no room"} if verb == "prepare" else None)
    (loading,) = run_loader(REQUEST, device="cpu", out=tmp_path).bodies("loading")
    assert loading.network_image_s is None
    assert loading.nulls["network_image_s"] == "no room"


@pytest.mark.parametrize(
    ("verb", "change", "error"),
    [
        ("open_data", {"failed": "error", "cause": "holds no image"}, InputError),
        ("time_batches", WorkerDied("killed by SIGKILL"), LoadingFailed),
    ],
)
def test_nothing_is_written_of_what_could_not_be_measured(faked, tmp_path, verb, change, error):
    server = faked(lambda asked, *_: change if asked == verb else None)
    with pytest.raises(error):
        run_loader(REQUEST, device="cpu", out=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert not server.alive


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_measured(faked, tmp_path):
    server = faked()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write into"):
        run_loader(REQUEST, device="cpu", out=tmp_path / "file" / "runs")
    assert not server.workers


def test_a_real_folder_is_measured(torch_server, monkeypatch, tmp_path):
    monkeypatch.setattr(runner, "ForkServer", lambda: Shared(torch_server))
    folder = write_photos(tmp_path / "photos", 8, size=(60, 45))
    request = LoadingRequest(
        data=str(folder), workers=(0, 1), batch_size=4, image_size=32, model="cifar_resnet20", seconds=0.01
    )
    file = run_loader(request, device="cpu", out=tmp_path / "runs")
    (loading,) = file.bodies("loading")
    measured = {stage.name for stage in loading.stages if stage.image_s is not None}
    assert measured == {*LOADING_STAGES} - {"transfer"}
    assert {(rate.path, rate.workers) for rate in loading.rates} == {("DataLoader", 0), ("DataLoader", 1)}
    assert loading.network_image_s is not None
    assert results.load(file.path).problems == ()
