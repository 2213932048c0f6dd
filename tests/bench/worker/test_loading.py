import itertools

import pytest
import torch

from bench.process.loading import OpenData, TimeBatches, TimeStages
from bench.worker.serve import WorkerServer


@pytest.fixture
def worker():
    ticks = itertools.count()
    return WorkerServer(clock=lambda: next(ticks) / 100)


@pytest.fixture(autouse=True)
def threads():
    """Give back the threads of this process, which the verbs change."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def opening(**changes):
    usual = {"data": "fake", "path": None, "image_size": 8, "batch_size": 4, "device": "cpu", "threads": 1}
    return OpenData(**{**usual, "decoder": "pillow", **changes})


def test_stages_and_batches_of_a_set_in_memory_are_timed(worker):
    opened = worker.open_data(opening())
    assert opened.paths == ("DataLoader", "slices")
    assert set(worker.time_stages(TimeStages(seconds=0.1)).image_s) == {"transform", "collate"}
    assert torch.get_num_threads() == 1
    for path in opened.paths:
        timed = worker.time_batches(TimeBatches(path=path, workers=0, seconds=0.05))
        assert timed.image_s > 0
        assert timed.first_batch_s > 0


def test_the_device_has_done_all_its_work_whenever_the_clock_is_read():
    waited = []

    class Device:
        def synchronize(self):
            waited.append(True)

    worker = WorkerServer(open_device=lambda name: Device(), clock=lambda: float(len(waited)))
    worker.open_data(opening())
    timed = worker.time_batches(TimeBatches(path="slices", workers=0, seconds=1.0))
    assert timed.first_batch_s == 1.0  # a reading before the first batch, and a reading after it
    assert timed.image_s == pytest.approx(1 / 4)
