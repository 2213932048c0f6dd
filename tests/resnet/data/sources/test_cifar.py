import pathlib
import struct

import numpy as np
import pytest
import torch
import torchvision.datasets

from resnet.data.sources.cifar import load_cifar10, load_cifar100
from resnet.data.sources.content import Request

COUNT = 3


def pixels(seed, count=COUNT):
    return np.random.default_rng(seed).integers(0, 256, (count, 3072), dtype=np.uint8)


def text(value):
    """A string as Python 2 pickled it: bytes with their length."""
    data = value.encode("latin-1") if isinstance(value, str) else value
    return b"U" + bytes([len(data)]) + data if len(data) < 256 else b"T" + struct.pack("<i", len(data)) + data


def array(values):
    """An array of bytes as NumPy under Python 2 pickled it, with the protocol 2."""
    count, width = values.shape
    return (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text("b") + b"\x87R"
        b"(K\x01M" + struct.pack("<H", count) + b"M" + struct.pack("<H", width) + b"\x86"
        b"cnumpy\ndtype\n"
        + text("u1")
        + b"K\x00K\x01\x87R(K\x03"
        + text("|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff"
        b"K\x00tb\x89" + text(values.tobytes()) + b"tb"
    )


def listed(items):
    return b"](" + b"".join(items) + b"e"


def pickled(**entries):
    return b"\x80\x02}(" + b"".join(text(key) + value for key, value in entries.items()) + b"u."


def integers(values):
    return listed([b"K" + bytes([value]) for value in values])


def write_python(folder, kind):
    folder.mkdir(parents=True)
    names = [f"name {number}" for number in range(10 if kind == 10 else 100)]
    files = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"] if kind == 10 else ["train", "test"]
    for seed, file in enumerate(files):
        labels = integers([(seed + number) % 10 for number in range(COUNT)])
        entries = {"labels": labels} if kind == 10 else {"coarse_labels": integers([9] * COUNT), "fine_labels": labels}
        (folder / file).write_bytes(pickled(data=array(pixels(seed)), filenames=listed([text("x.png")]), **entries))
    key = "label_names" if kind == 10 else "fine_label_names"
    (folder / ("batches.meta" if kind == 10 else "meta")).write_bytes(pickled(**{key: listed(map(text, names))}))


def write_binary(folder, kind):
    folder.mkdir(parents=True)
    files = [f"data_batch_{number}.bin" for number in range(1, 6)] + ["test_batch.bin"]
    for seed, file in enumerate(files if kind == 10 else ["train.bin", "test.bin"]):
        labels = [[(seed + number) % 10] if kind == 10 else [9, (seed + number) % 10] for number in range(COUNT)]
        rows = np.concatenate((np.array(labels, np.uint8), pixels(seed)), axis=1)
        (folder / file).write_bytes(rows.tobytes())
    names = "".join(f"name_{number}\n" for number in range(10 if kind == 10 else 100))
    (folder / ("batches.meta.txt" if kind == 10 else "fine_label_names.txt")).write_text(f"{names}\n")


LOADERS = {10: load_cifar10, 100: load_cifar100}
FOLDERS = {
    (10, "binary"): "cifar-10-batches-bin",
    (10, "python"): "cifar-10-batches-py",
    (100, "binary"): "cifar-100-binary",
    (100, "python"): "cifar-100-python",
}
WRITERS = {"binary": write_binary, "python": write_python}


@pytest.mark.parametrize(("kind", "version"), FOLDERS)
@pytest.mark.parametrize("outside", [False, True])
def test_both_versions_give_images_and_labels(tmp_path, kind, version, outside):
    folder = tmp_path / FOLDERS[kind, version]
    WRITERS[version](folder, kind)
    content = LOADERS[kind](Request(path=tmp_path if outside else folder))
    batches = 5 if kind == 10 else 1
    expected = np.concatenate([pixels(seed) for seed in range(batches)]).reshape(-1, 3, 32, 32)
    assert np.array_equal(content.train.images.numpy(), expected)
    assert content.train.labels.tolist() == [(seed + n) % 10 for seed in range(batches) for n in range(COUNT)]
    assert content.train.labels.dtype == torch.int64
    assert np.array_equal(content.validation.images.numpy(), pixels(batches).reshape(-1, 3, 32, 32))
    assert len(content.classes) == kind
    assert content.classes[1].replace("_", " ") == "name 1"


def test_the_usual_folder_is_searched_and_nothing_is_downloaded_unless_asked(tmp_path, monkeypatch):
    class Stub:
        def __init__(self, root, download):
            write_python(pathlib.Path(root, "cifar-10-batches-py"), 10)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", Stub)
    with pytest.raises(ValueError, match=r"no files of CIFAR10 here: .*cifar-10-batches-bin or cifar-10-batches-py"):
        load_cifar10(Request())
    assert len(load_cifar10(Request(download=True)).train) == 5 * COUNT
    assert len(load_cifar10(Request()).train) == 5 * COUNT


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"no files of CIFAR100 in '.*nowhere'"):
        load_cifar100(Request(path=tmp_path / "nowhere"))


@pytest.mark.parametrize("version", ["binary", "python"])
def test_a_truncated_file_is_named(tmp_path, version):
    folder = tmp_path / FOLDERS[10, version]
    WRITERS[version](folder, 10)
    path = next(folder.glob("data_batch_3*"))
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ValueError, match=r"data_batch_3.* is .*damaged") as caught:
        load_cifar10(Request(path=folder))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("version", ["binary", "python"])
@pytest.mark.parametrize("name", ["data_batch_2*", "batches.meta*"])
def test_a_missing_file_is_named(tmp_path, version, name):
    folder = tmp_path / FOLDERS[10, version]
    WRITERS[version](folder, 10)
    next(folder.glob(name)).unlink()
    with pytest.raises(ValueError, match=f"cannot read .*{name[:-1]}"):
        load_cifar10(Request(path=folder))


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"labels": integers([0] * COUNT)}, "has no 'data'"),
        ({"data": array(pixels(0))}, "has no 'labels'"),
        ({"data": integers([1]), "labels": integers([0])}, "has no 'data'"),
        ({"data": array(pixels(0)[:, :300]), "labels": integers([0] * COUNT)}, "no array of n × 3072"),
        ({"data": array(pixels(0)), "labels": integers([0])}, "3 images, 9216 bytes of pixels, 1 labels"),
    ],
)
def test_a_pickle_of_something_else_is_refused(tmp_path, entries, words):
    folder = tmp_path / FOLDERS[10, "python"]
    write_python(folder, 10)
    (folder / "data_batch_1").write_bytes(pickled(**entries))
    with pytest.raises(ValueError, match=words):
        load_cifar10(Request(path=folder))


def test_what_a_pickle_calls_is_never_run(tmp_path):
    folder = tmp_path / FOLDERS[10, "python"]
    write_python(folder, 10)
    call = b"cos\nmkdir\n" + text(str(tmp_path / "trap")) + b"\x85R"
    (folder / "data_batch_1").write_bytes(pickled(data=call, labels=integers([0])))
    with pytest.raises(ValueError, match="no array"):
        load_cifar10(Request(path=folder))
    assert not (tmp_path / "trap").exists()
