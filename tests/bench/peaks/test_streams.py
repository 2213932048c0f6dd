import torch

from bench.machine import memory
from bench.measure.device import open_device
from bench.peaks.streams import LEAST_BYTES, MOST_BYTES, copy_step, smallest_step, triad_step, working_sets


def test_working_sets_double_and_leave_memory_free(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 1 << 40)
    sizes = working_sets(open_device("cpu"))
    assert (sizes[0], sizes[-1]) == (LEAST_BYTES, MOST_BYTES)
    monkeypatch.setattr(memory, "available", lambda: 1 << 20)
    assert working_sets(open_device("cpu"))[-1] == 1 << 18


def test_streams_compute_what_their_names_say():
    device = open_device("cpu")
    assert torch.equal(copy_step(device, 64)(None), torch.ones(8))
    assert torch.equal(triad_step(device, 96)(None), torch.full((8,), 2.5))
    assert smallest_step(device)(None).tolist() == [2.0]
