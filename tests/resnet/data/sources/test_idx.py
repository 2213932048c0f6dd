import gzip
import struct

import pytest

from resnet.data.sources.idx import read_idx

VALID = struct.pack(">4B3I", 0, 0, 8, 3, 2, 1, 3) + bytes(range(6))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_is_read_packed_or_not(tmp_path, pack):
    path = tmp_path / "images"
    path.write_bytes(pack(VALID))
    assert read_idx(path, 3).tolist() == [[[0, 1, 2]], [[3, 4, 5]]]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no IDX file"),
        (VALID[:3], "no IDX file"),
        (b"\0\0\x08\x01" + VALID[4:], "begins with '00 00 08 01', expected '00 00 08 03'"),
        (b"\0\0\x0d\x03" + VALID[4:], "no IDX file"),
        (b"<html>", "no IDX file"),
        (VALID[:12], "truncated"),
        (VALID[:-1], "5 bytes of data, but its sizes 2 × 1 × 3 need 6"),
        (VALID + b"x", "damaged"),
        (gzip.compress(VALID, mtime=0)[:-9], "get the file again"),
        (b"\x1f\x8b" + b"x" * 40, "get the file again"),
        (gzip.compress(VALID, mtime=0)[:-8] + b"x" * 8, "get the file again"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, data, words):
    path = tmp_path / "images"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=words) as caught:
        read_idx(path, 3)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"cannot read .*missing"):
        read_idx(tmp_path / "missing", 3)
