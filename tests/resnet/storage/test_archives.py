import zipfile

import pytest
import torch

from resnet.storage import archives


def read(path, *, modern):
    return archives.read_zip(path) if modern else archives.read_legacy(path)


@pytest.mark.parametrize("modern", [True, False])
def test_tensors_are_read_with_their_strides_and_types(tmp_path, modern):
    base = torch.arange(24.0).reshape(2, 3, 4)
    content = {
        "view": base[:, 1:],
        "permuted": base.permute(2, 0, 1),
        "parameter": torch.nn.Parameter(base[0]),
        "buffer": torch.nn.Buffer(base[1]),
        "half": base.half(),
        "bfloat16": base.bfloat16(),
        "fp8": base.to(torch.float8_e4m3fn),
        "bool": base > 3,
        "int64": base.long(),
        "complex": base.to(torch.complex64),
        "empty": torch.empty(0, 3),
        "scalar": torch.tensor(3),
    }
    torch.save(content, tmp_path / "tensors.pt", _use_new_zipfile_serialization=modern)
    again = read(tmp_path / "tensors.pt", modern=modern)
    assert again.keys() == content.keys()
    for name, tensor in content.items():
        assert type(again[name]) is torch.Tensor
        assert again[name].dtype == tensor.dtype
        assert again[name].stride() == tensor.stride()
        assert again[name].tolist() == tensor.tolist(), name


@pytest.mark.parametrize("modern", [True, False])
def test_tensors_that_share_a_storage_share_it_again(tmp_path, modern):
    base = torch.zeros(4)
    torch.save([base, base[1:]], tmp_path / "tensors.pt", _use_new_zipfile_serialization=modern)
    whole, part = read(tmp_path / "tensors.pt", modern=modern)
    part += 1
    assert whole.tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize("modern", [True, False])
def test_other_tensors_and_networks_do_not_stop_the_others(tmp_path, modern):
    content = {
        "sparse": torch.eye(3).to_sparse(),
        "module": torch.nn.Linear(1, 1),
        "plain": torch.ones(3),
    }
    torch.save(content, tmp_path / "tensors.pt", _use_new_zipfile_serialization=modern)
    assert torch.equal(read(tmp_path / "tensors.pt", modern=modern)["plain"], content["plain"])


def test_a_flipped_bit_of_a_weight_is_noticed(tmp_path):
    path = tmp_path / "weights.pt"
    torch.save({"a": torch.full((100,), 1.5)}, path)
    data = path.read_bytes()
    position = data.index(torch.full((100,), 1.5).numpy().tobytes())
    path.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
    with pytest.raises(zipfile.BadZipFile, match="Bad CRC-32"):
        archives.read_zip(path)


def test_a_storage_larger_than_the_file_is_refused_before_it_takes_memory(tmp_path):
    path = tmp_path / "weights.pt"
    torch.save({"a": torch.zeros(1000)}, path, _use_new_zipfile_serialization=False)
    count = b"M" + (1000).to_bytes(2, "little")
    assert path.read_bytes().count(count) == 2  # of the storage, and of the tensor
    path.write_bytes(path.read_bytes().replace(count, b"J" + (2**31 - 1).to_bytes(4, "little")))
    with pytest.raises(ValueError, match="a storage of 2147483647 numbers"):
        archives.read_legacy(path)


def test_an_archive_without_checksums_is_read(tmp_path):
    torch.serialization.set_crc32_options(compute_crc32=False)
    try:
        torch.save({"a": torch.ones(3)}, tmp_path / "weights.pt")
    finally:
        torch.serialization.set_crc32_options(compute_crc32=True)
    with zipfile.ZipFile(tmp_path / "weights.pt") as archive:
        assert {entry.CRC for entry in archive.infolist() if entry.filename.endswith("data/0")} == {0}
    assert archives.read_zip(tmp_path / "weights.pt")["a"].tolist() == [1, 1, 1]
