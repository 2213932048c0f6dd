import numpy as np
import pytest
import torch

from resnet.data import SETS, Split, load_data
from resnet.data.decoding import center_crop, open_image
from resnet.data.sets import channel_statistics
from resnet.data.sources.folder import IMAGENET_STATISTICS


@pytest.fixture
def folder(folder_of, tmp_path):
    return folder_of(tmp_path / "pets", {"cat": 6, "dog": 4})


def test_digits_hold_out_a_fifth_with_all_classes_in_proportion():
    pytest.importorskip("sklearn")
    data = load_data("digits")
    assert (data.name, data.in_channels, data.image_size, data.held_out) == ("digits", 1, 8, True)
    assert len(data.train) + len(data.validation) == 1797
    assert len(data.validation) == 359
    assert {35, 36, 37} >= set(torch.bincount(data.validation.labels).tolist())
    assert (int(data.train.images.min()), int(data.train.images.max())) == (0, 255)
    assert data.digest == load_data("digits").digest != load_data("digits", seed=1).digest


def test_images_in_memory_are_resized_limited_and_counted():
    data = load_data("fake", image_size=16, limit=100)
    assert (len(data.train), len(data.validation), data.image_size) == (100, 100, 16)
    assert data.train.images.shape == (100, 3, 16, 16)
    assert (data.mean, data.std) == channel_statistics(data.train.images)
    assert "nothing can be learned" in data.note


def test_resizing_keeps_brightness():
    pytest.importorskip("sklearn")
    small, large = load_data("digits", limit=50), load_data("digits", limit=50, image_size=24)
    assert large.train.images.shape == (50, 1, 24, 24)
    assert large.train.images.dtype == torch.uint8
    assert abs(small.mean[0] - large.mean[0]) < 0.02
    assert small.digest != large.digest


def test_what_is_held_out_is_not_trained_on():
    whole, held = load_data("fake", image_size=4), load_data("fake", image_size=4, hold_out=0.25)
    assert (whole.held_out, held.held_out) == (False, True)
    assert (len(held.train), len(held.validation)) == (768, 256)
    parts = {bytes(image.numpy().tobytes()) for image in torch.cat((held.train.images, held.validation.images))}
    assert parts == {bytes(image.numpy().tobytes()) for image in whole.train.images}


def test_a_folder_is_a_set_by_its_path(folder, monkeypatch):
    data = load_data(str(folder))
    assert (data.name, data.classes, data.in_channels, data.image_size) == ("pets", ("cat", "dog"), 3, 224)
    assert (len(data.train), len(data.validation), data.held_out) == (10, 10, False)
    monkeypatch.chdir(folder.parent)
    assert load_data("pets").digest == data.digest
    monkeypatch.chdir(folder)
    assert load_data(".").name == "pets"


def test_a_set_of_folders_takes_its_path(folder):
    assert load_data("imagenet", path=folder, image_size=8).image_size == 8


def test_a_folder_can_be_limited_and_divided(folder):
    data = load_data(str(folder), limit=5)
    assert torch.bincount(data.train.labels).tolist() == [3, 2]
    divided = load_data(str(folder / "train"), hold_out=0.2)
    assert (len(divided.train), len(divided.validation), divided.held_out) == (8, 2, True)
    assert not set(divided.train.paths) & set(divided.validation.paths)


def test_a_folder_without_validation_images_needs_a_share(folder):
    with pytest.raises(ValueError, match="hold out a share"):
        load_data(str(folder / "train"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "fashion-mnst"}, "did you mean 'fashion-mnist'"),
        ({"name": "what"}, "or the path of a folder"),
        ({"name": "./what"}, "no folder 'what'"),
        ({"name": "imagenet"}, "give the path"),
        ({"name": "fake", "path": "x"}, "takes no path"),
        ({"name": "./what", "path": "x"}, "is a path already"),
        ({"name": "fake", "download": True}, "cannot download 'fake'"),
        ({"name": "fake", "image_size": 0}, "image_size"),
        ({"name": "fake", "limit": 0}, "limit"),
        ({"name": "fake", "limit": 10, "seed": -1}, "seed"),
        ({"name": "fake", "hold_out": 1.0}, "hold_out"),
        ({"name": "fake", "hold_out": -0.1}, "hold_out"),
    ],
)
def test_a_request_that_cannot_be_met_ends_in_a_single_line(arguments, words):
    with pytest.raises(ValueError, match=words) as caught:
        load_data(**arguments)
    assert "\n" not in str(caught.value)


def test_statistics_are_those_of_torch():
    images = torch.randint(256, (50, 3, 5, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    mean, std = channel_statistics(images)
    pixels = images.double().transpose(0, 1).flatten(1) / 255
    torch.testing.assert_close(torch.tensor(mean), pixels.mean(1).float())
    torch.testing.assert_close(torch.tensor(std), pixels.std(1, correction=0).float())


def test_a_channel_without_variation_can_be_normalised():
    assert channel_statistics(torch.full((3, 1, 2, 2), 51, dtype=torch.uint8)) == ((0.2,), (1.0,))


def test_every_set_says_what_it_is():
    assert list(SETS) == ["fashion-mnist", "cifar10", "cifar100", "imagenet", "digits", "fake"]
    assert all(source.summary for source in SETS.values())
    assert isinstance(load_data("fake", limit=2).train, Split)


def test_a_folder_has_its_own_statistics_and_imagenet_those_that_are_published(folder):
    data = load_data(str(folder), image_size=8)
    assert data.mean == load_data(str(folder), image_size=8).mean
    assert data.mean != IMAGENET_STATISTICS[0]
    images = torch.stack([pixels(path, 8) for path in data.train.paths])
    assert data.mean == pytest.approx(images.mean((0, 2, 3)).tolist(), abs=1e-6)
    assert data.std == pytest.approx(images.std((0, 2, 3), correction=0).tolist(), abs=1e-6)
    assert load_data("imagenet", path=folder, image_size=8).mean == IMAGENET_STATISTICS[0]


def pixels(path, size):
    """The middle of a file, in [0, 1]."""
    return torch.from_numpy(np.array(center_crop(open_image(path), size))).permute(2, 0, 1).double() / 255
