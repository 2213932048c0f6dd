import gzip
import io
import pickle
import random
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from resnet.storage import files


def tensors():
    generator = torch.Generator().manual_seed(0)
    return {"a": torch.randn(20, 20, generator=generator), "b": torch.randn(300, generator=generator)}


def write(path, form):
    if form == "safetensors":
        save_file(tensors(), path)
    else:
        torch.save(tensors(), path, _use_new_zipfile_serialization=form == "zip")


def archive(form):
    buffer = io.BytesIO()
    if form == "tar":
        with tarfile.open(fileobj=buffer, mode="w") as file:
            file.addfile(tarfile.TarInfo("weights.pth"))
    elif form == "npz":
        np.savez(buffer, a=np.ones(3))
    else:
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr("weights.pth", b"")
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors"])
@pytest.mark.parametrize("suffix", [".pth", ".th", ".ckpt", ".bin", ".pth.tar", ".safetensors", ""])
def test_a_file_is_known_by_its_content(tmp_path, form, suffix):
    path = tmp_path / f"weights{suffix}"
    write(path, form)
    content = files.read(path)
    assert all(torch.equal(content[key], tensor) for key, tensor in tensors().items())


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("modern", [True, False])
def test_any_protocol_of_pickles_is_read(tmp_path, protocol, modern):
    path = tmp_path / "weights.pt"
    torch.save(tensors(), path, pickle_protocol=protocol, _use_new_zipfile_serialization=modern)
    assert torch.equal(files.read(path)["a"], tensors()["a"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"hello\nworld", "it is text that begins with 'hello world'"),
        ("é" * 300, "it is text that begins with 'ééé"),
        (b'{"weight_map": {}}', 'it is text that begins with \'{"weight_map"'),
        (b"<!DOCTYPE html>\n<html>", "it is a web page instead of the file; download"),
        (b"\n<html lang=en>", "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "it is a pointer of Git LFS .* git lfs pull"),
        (gzip.compress(b"x", mtime=0), "it is compressed by gzip; unpack it first"),
        (archive("tar"), "it is a tar archive; unpack it first"),
        (archive("npz"), "it is a zip archive of NumPy arrays"),
        (archive("zip"), r"it is a zip archive of something else \(it holds 'weights.pth'\)"),
        (pickle.dumps({"a": 1}), "it is a pickle, but not of torch.save"),
        (b"\x89HDF\r\n\x1a\n" + bytes(9), "it is an HDF5 file"),
        (bytes(range(200)), "it is of no known kind .it begins with the bytes 00 01 02 03 04 05 06 07"),
        (b"c\xc51Z", "it is of no known kind"),
    ],
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_what_else_a_file_is_stands_in_the_line(tmp_path, content, words, suffix):
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    expected = r"; expected a state dict, alone or in a checkpoint, that torch\.save or safetensors wrote$"
    with pytest.raises(ValueError, match=rf"^cannot read weights '.*': {words}.*{expected}") as raised:
        files.read(path)
    assert "\n" not in str(raised.value)
    assert "damaged" not in str(raised.value)


@pytest.mark.filterwarnings("ignore:.*deprecated:FutureWarning", "ignore:.*deprecated:DeprecationWarning")
def test_a_program_is_refused(tmp_path):
    path = tmp_path / "program.pt"
    torch.jit.save(torch.jit.script(torch.nn.ReLU()), path)
    with pytest.raises(ValueError, match=r"it is a TorchScript archive, which is a program; expected a state dict"):
        files.read(path)


def test_a_file_that_may_not_be_read_says_so(tmp_path):
    with pytest.raises(ValueError, match=r"^cannot read weights '.*': Is a directory$"):
        files.read(tmp_path)


def refused(path):
    """Whether the file is refused in one clear line, rather than read."""
    try:
        files.read(path)
    except ValueError as error:
        assert str(error).startswith("cannot read weights")  # noqa: PT017 - some damage goes unnoticed
        assert "\n" not in str(error)  # noqa: PT017
        return True
    return False


@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors"])
def test_a_damaged_file_is_one_line(tmp_path, form):
    path = tmp_path / "broken.pt"
    write(path, form)
    whole = path.read_bytes()
    for end in (100, 1000, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(ValueError, match=r"^cannot read weights '.*broken\.pt': damaged: it begins as"):
            files.read(path)
    for end in (1, 8):  # too little to know what it was
        path.write_bytes(whole[:end])
        assert refused(path)
    rng = random.Random(0)
    outcomes = set()
    for _ in range(100):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        outcomes.add(refused(path))
    assert True in outcomes
