import gzip
import pathlib
import struct

import pytest
import torch
import torchvision.datasets

from resnet.data.sources import fashion_mnist
from resnet.data.sources.content import Request
from resnet.data.sources.fashion_mnist import DEBIAN, load_fashion_mnist


def write(folder, packed=False, train=5, test=2, labels=None):
    """Files of the real format, with as many images."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", train), ("t10k", test)):
        images = struct.pack(">4B3I", 0, 0, 8, 3, count, 28, 28) + bytes(number % 256 for number in range(count * 784))
        values = bytes(number % 10 for number in range(labels if labels is not None else count))
        for name, data in (
            (f"{part}-images-idx3-ubyte", images),
            (f"{part}-labels-idx1-ubyte", struct.pack(">4BI", 0, 0, 8, 1, len(values)) + values),
        ):
            (folder / f"{name}{'.gz' * packed}").write_bytes(gzip.compress(data) if packed else data)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A machine without the files."""
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "debian")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("inner", [".", "raw", "FashionMNIST/raw"])
def test_files_are_read_from_a_path(elsewhere, packed, inner):
    write(elsewhere / "given" / inner, packed)
    content = load_fashion_mnist(Request(path=elsewhere / "given"))
    assert content.train.images.shape == (5, 1, 28, 28)
    assert content.train.images[1, 0, 0, :3].tolist() == [16, 17, 18]
    assert content.train.labels.tolist() == [0, 1, 2, 3, 4]
    assert len(content.validation) == 2
    assert (len(content.classes), content.in_channels, content.image_size) == (10, 1, 28)


@pytest.mark.parametrize("folder", ["debian", "data/FashionMNIST/raw"])
def test_files_are_looked_for_in_the_usual_folders(elsewhere, folder):
    write(elsewhere / folder)
    assert len(load_fashion_mnist(Request()).train) == 5


def test_without_files_the_message_says_where_to_get_them(elsewhere):
    with pytest.raises(ValueError, match="install Debian's package dataset-fashion-mnist, give the path"):
        load_fashion_mnist(Request())
    with pytest.raises(ValueError, match="in 'nowhere'"):
        load_fashion_mnist(Request(path=pathlib.Path("nowhere")))


def test_nothing_is_downloaded_unless_asked(elsewhere, monkeypatch):
    class Stub:
        def __init__(self, root, download):
            write(pathlib.Path(root, "FashionMNIST", "raw"), train=3)

    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", Stub)
    with pytest.raises(ValueError, match="no files"):
        load_fashion_mnist(Request())
    assert len(load_fashion_mnist(Request(download=True)).train) == 3
    assert (elsewhere / "data").is_dir()
    assert len(load_fashion_mnist(Request(download=True, path=elsewhere / "given")).train) == 3
    assert (elsewhere / "given").is_dir()


def test_incomplete_files_are_named(elsewhere):
    write(elsewhere)
    (elsewhere / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(ValueError, match="lacks 't10k-labels-idx1-ubyte'"):
        load_fashion_mnist(Request(path=elsewhere))
    write(elsewhere, labels=4)
    with pytest.raises(ValueError, match=r"5 images, but .* 4 labels"):
        load_fashion_mnist(Request(path=elsewhere))


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's package dataset-fashion-mnist is not installed")
def test_the_files_of_debian_are_the_official_split():
    content = load_fashion_mnist(Request())
    assert (len(content.train), len(content.validation)) == (60_000, 10_000)
    assert torch.bincount(content.train.labels).tolist() == [6000] * 10
    assert torch.bincount(content.validation.labels).tolist() == [1000] * 10
    assert content.train.labels[:5].tolist() == [9, 0, 0, 3, 0]
