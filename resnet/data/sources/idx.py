"""Files of the IDX format, in which MNIST and its relatives come: a magic number, sizes, and bytes."""

import gzip
import math
import pathlib
import struct
import zlib

import numpy as np
import torch
from torch import Tensor


def read_idx(path: pathlib.Path, dimensions: int) -> Tensor:
    """Return the uint8 array of an IDX file, compressed by gzip or not.

    Format: two zero bytes, 8 for unsigned bytes, the number of dimensions, the sizes as big-endian 32-bit integers, the
    numbers (yann.lecun.com/exdb/mnist).

    Args:
        path: The file.
        dimensions: Dimensions that the array must have.

    Raises:
        ValueError: The file cannot be read, is damaged, or is of another kind; the message names it.
    """
    try:
        data = path.read_bytes()
        if data.startswith(b"\x1f\x8b"):
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"cannot read {str(path)!r}: {error}; get the file again") from error
    if data[:4] != bytes((0, 0, 8, dimensions)):
        raise ValueError(
            f"{str(path)!r} is no IDX file of bytes with {dimensions} dimensions: it begins with "
            f"{data[:4].hex(' ')!r}, expected '00 00 08 {dimensions:02x}'"
        )
    begin = 4 + 4 * dimensions
    if len(data) < begin:
        raise ValueError(f"{str(path)!r} is truncated: {len(data)} bytes; get the file again")
    sizes = struct.unpack_from(f">{dimensions}I", data, 4)
    if len(data) - begin != math.prod(sizes):
        raise ValueError(
            f"{str(path)!r} is truncated or damaged: {len(data) - begin} bytes of data, but its sizes "
            f"{' × '.join(map(str, sizes))} need {math.prod(sizes)}; get the file again"
        )
    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=begin).reshape(sizes).copy())
