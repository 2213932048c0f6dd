import pytest

from bench.process.loading import DataOpened
from bench.schedule.loading import request as requests
from bench.schedule.loading.request import LoadingRequest, loading_notes, network_case, worker_counts
from results.errors import InputError


def opened(**changes):
    usual = {"images": 100, "sample": 100, "image_size": 224, "in_channels": 3, "image_bytes": 9, "decoder": "x"}
    return DataOpened(**{**usual, "paths": ("DataLoader",), "nulls": {}, **changes})


@pytest.mark.parametrize(
    ("cores", "counts"), [(1, (0, 1)), (2, (0, 1, 2)), (6, (0, 1, 2, 4, 6)), (16, (0, 1, 2, 4, 8, 16))]
)
def test_powers_of_two_and_all_cores_are_tried(cores, counts):
    assert worker_counts(cores) == counts


def test_the_network_trains_on_the_images_as_they_are():
    request = LoadingRequest(data="x", batch_size=16, precision="amp-bf16")
    case = network_case(request, opened(image_size=160, in_channels=1), "cuda:0", 4)
    assert case.key == "resnet18/training/b16/160/c1/cuda:0/amp-bf16/eager/nchw/t4"


def test_small_images_feed_a_network_with_a_small_stem():
    assert network_case(LoadingRequest(data="x"), opened(image_size=32), "cpu", 1).model == "cifar_resnet18"
    given = LoadingRequest(data="x", model="cifar_resnet20")
    assert network_case(given, opened(image_size=32), "cpu", 1).model == "cifar_resnet20"


def test_what_cannot_be_asked_is_bad_input():
    for workers in ((), (-1,)):
        with pytest.raises(InputError, match="workers should be whole numbers"):
            LoadingRequest(data="x", workers=workers)
    with pytest.raises(InputError, match="did you mean 'resnet18'"):
        LoadingRequest(data="x", model="resnet81")
    with pytest.raises(InputError, match="is a peer"):
        network_case(LoadingRequest(data="x", model="torchvision:vgg16"), opened(), "cpu", 1)


def test_notes_say_what_shares_cores_and_what_is_repeated(monkeypatch):
    monkeypatch.setattr(requests, "usable_cores", lambda: 2)
    assert loading_notes(LoadingRequest(data="x", workers=(4,)), opened(), "cuda:0") == ()
    notes = loading_notes(LoadingRequest(data="x", workers=(5,)), opened(sample=10), "cpu")
    assert len(notes) == 3
    assert "share the cores" in notes[0]
    assert "the 10 images more than once" in notes[1]
    assert "5 workers are more than two for each of the 2 usable cores" in notes[2]
