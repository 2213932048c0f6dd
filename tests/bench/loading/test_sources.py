import itertools

import pytest

from bench.loading import sources
from bench.loading.sources import open_source
from bench.process.loading import OpenData
from results.errors import InputError
from tests.bench.loading.photos import write_photos


def request(data, **changes):
    usual = {"path": None, "image_size": None, "batch_size": 4, "device": "cpu", "threads": 1, "decoder": "pillow"}
    return OpenData(data=str(data), **{**usual, **changes})


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return write_photos(tmp_path_factory.mktemp("photos"), 6, size=(60, 45))


def test_a_folder_is_described(photos):
    source, opened = open_source(request(photos, image_size=32))
    assert (opened.images, opened.sample, opened.image_size, opened.in_channels) == (6, 6, 32, 3)
    assert opened.image_bytes > 100
    assert opened.paths == ("DataLoader",)
    assert set(opened.nulls) == {"transfer"}
    assert [stage.name for stage in (*source.image, *source.batch)] == [
        "read",
        "decode",
        "transform",
        "collate",
        "augment",
    ]


def test_the_images_of_a_folder_have_224_pixels_unless_asked(photos):
    assert open_source(request(photos))[1].image_size == 224


def test_a_large_folder_is_sampled(photos, monkeypatch):
    monkeypatch.setattr(sources, "MOST_SAMPLE", 2)
    _, opened = open_source(request(photos, image_size=16))
    assert (opened.images, opened.sample) == (6, 2)


@pytest.mark.parametrize("decoder", ["pillow", "made up"])
@pytest.mark.parametrize("workers", [0, 1])
def test_batches_of_files_never_end(photos, monkeypatch, decoder, workers):
    """With Pillow they are those of a training; other decoders have a loader of their own."""
    opened = sources.open_decoder("pillow")
    monkeypatch.setattr(sources, "open_decoder", lambda name: opened)
    source, _ = open_source(request(photos, image_size=16, decoder=decoder))
    assert source.own_loader == (decoder != "pillow")
    batches = source.batches("DataLoader", workers)
    assert list(itertools.islice(batches, 5)) == [4] * 5
    batches.close()


@pytest.mark.parametrize("decoder", ["pillow", "made up"])
def test_each_loader_gives_normalised_batches_of_one_shape(photos, monkeypatch, decoder):
    opened = sources.open_decoder("pillow")
    monkeypatch.setattr(sources, "open_decoder", lambda name: opened)
    source, _ = open_source(request(photos, image_size=16, decoder=decoder))
    images, labels = next(source._own_batches(0) if source.own_loader else source._batches(0))
    assert (images.shape, str(images.dtype), labels.shape) == ((4, 3, 16, 16), "torch.float32", (4,))
    assert images.min() < 0 < images.max()


def test_images_in_memory_have_two_paths(photos):
    source, opened = open_source(request("fake", image_size=16))
    assert opened.paths == ("DataLoader", "slices")
    assert (opened.image_bytes, opened.decoder) == (None, None)
    assert set(opened.nulls) == {"read", "decode", "transfer", "augment"}
    for path in opened.paths:
        assert list(itertools.islice(source.batches(path, 0), 3)) == [4] * 3


def test_the_order_has_every_image_once_before_any_comes_again(photos):
    source, _ = open_source(request(photos, image_size=16))
    order = list(itertools.chain.from_iterable(itertools.islice(source.order(), 3)))
    assert sorted(order[:6]) == sorted(order[6:12]) == list(range(6))


def test_a_corrupt_file_is_named_when_the_data_is_opened(photos, tmp_path):
    folder = write_photos(tmp_path, 2, size=(20, 20))
    (folder / "class0" / "bad.jpg").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"class0/bad\.jpg"):
        open_source(request(folder))


@pytest.mark.parametrize(
    ("data", "message"),
    [("fashion-mnits", "did you mean 'fashion-mnist'"), ("nowhere/at/all", "no folder and no data")],
)
def test_what_is_neither_a_set_nor_a_folder_is_one_line(data, message):
    with pytest.raises(InputError, match=message):
        open_source(request(data))


def test_a_set_that_is_not_there_says_where_to_get_it(tmp_path):
    with pytest.raises(InputError, match="CIFAR10") as caught:
        open_source(request("cifar10", path=str(tmp_path)))
    assert "\n" not in str(caught.value)


def test_a_batch_of_more_images_than_the_set_has_is_one_line():
    with pytest.raises(InputError, match="fewer than a batch of 1000000"):
        open_source(request("fake", image_size=8, batch_size=1_000_000))
