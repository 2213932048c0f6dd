import pytest

from reports.chapters.batches import CHAPTER, knee, memory_by_batch, throughput_by_batch
from tests.reports.sources import case_frame

THROUGHPUT, MEMORY = CHAPTER.charts.values()


@pytest.fixture
def frame():
    """Two models over four batches, the first with its knee at 8; and a model with a single batch."""
    seconds = {1: 0.02, 4: 0.04, 8: 0.06, 32: 0.22}
    rows = [
        {
            "model": model,
            "batch_size": batch,
            "latency_s": factor * latency_s,
            "peak_bytes": 1e8 + 2e7 * batch,
            "usable": True,
        }
        for model, factor in (("resnet18", 1.0), ("resnet50", 3.0))
        for batch, latency_s in seconds.items()
    ]
    return case_frame(*rows, {"model": "resnet34", "batch_size": 8, "usable": True})


def test_the_knee_is_the_smallest_batch_with_nearly_all_of_the_throughput(frame):
    assert knee(frame[frame["model"] == "resnet18"]) == 8


def test_only_models_with_two_batches_are_drawn(frame):
    (view,) = THROUGHPUT.views(frame)
    figure = throughput_by_batch(view.frame)
    assert [trace.name for trace in figure.data] == ["resnet18", "resnet50"]
    assert list(figure.data[0].x) == [1, 4, 8, 32]
    assert len(memory_by_batch(view.frame).data) == 2


def test_the_sentences_name_the_knee_and_the_memory_of_an_image(frame):
    (view,) = THROUGHPUT.views(frame)
    assert "its knee is batch 8" in THROUGHPUT.takeaway(view.frame)
    assert "about 20.0\N{NO-BREAK SPACE}MB" in MEMORY.takeaway(view.frame)


def test_where_a_larger_batch_brings_nothing_the_sentence_says_so(frame):
    flat = frame[frame["model"] == "resnet18"].assign(throughput_img_per_s=50.0)
    assert "brings no model more than a tenth" in THROUGHPUT.takeaway(flat)
