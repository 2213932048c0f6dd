import pytest

from bench.process.forkserver import WorkerDied
from bench.process.loading import TimeStages
from bench.schedule.loading.clients import LoaderClient, LoadingFailed, NetworkClient
from bench.schedule.loading.request import LoadingRequest
from results.errors import InputError
from tests.bench.fakes import FakeServer


def test_the_data_is_opened_as_asked(tmp_path):
    server = FakeServer()
    channel = server.spawn()
    opened = LoaderClient(channel).open(LoadingRequest(data="x", path=tmp_path, image_size=96), "cpu", 2)
    assert opened.image_size == 96


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"failed": "error", "cause": "cannot decode x.jpg"}, InputError, "cannot decode x.jpg"),
        (WorkerDied("killed by SIGKILL"), LoadingFailed, "could not be measured: killed by SIGKILL"),
        ({"image_s": {"read": -1.0}}, LoadingFailed, "makes no sense"),
    ],
)
def test_a_worker_that_refuses_or_dies_is_a_line(change, error, message):
    channel = FakeServer(lambda *_: change).spawn()
    with pytest.raises(error, match=message):
        LoaderClient(channel).answer(TimeStages(seconds=1.0), 5.0)


def test_a_network_is_measured_in_images(make_case):
    server = FakeServer()
    network = NetworkClient(server, make_case(task="training", batch_size=8), 0.1)
    network.measure()
    network.measure()
    assert network.image_s == pytest.approx([1.02 * 0.01 / 8] * 2)
    network.close()
    assert not server.alive


def test_a_network_that_fails_says_why_and_is_not_asked_again(make_case):
    asked = []

    def script(verb, case, server):
        asked.append(verb)
        return {"failed": "out-of-memory", "cause": "no room"} if verb == "prepare" else None

    network = NetworkClient(FakeServer(script), make_case(task="training"), 0.1)
    network.measure()
    network.measure()
    assert (network.cause, network.image_s, asked) == ("no room", [], ["prepare"])
