import pytest

from bench.memory_model import batches
from bench.memory_model.batches import BatchPredictor, on_the_line
from bench.memory_model.predict import UnpredictableError, predicted_memory, trace_step


@pytest.fixture
def case(make_case):
    return lambda **axes: make_case(**{"model": "resnet18", "image_size": 96, "threads": 1, **axes})


@pytest.mark.parametrize(
    "axes",
    [{}, {"task": "training"}, {"task": "training", "layout": "nhwc", "optimizer": "adamw"},
     {"model": "resnext50_32x4d", "task": "training", "grad_checkpointing": "blocks"}, {"precision": "amp-bf16"}],
)  # fmt: skip
def test_a_batch_on_the_line_has_the_bytes_of_its_own_trace(case, axes, monkeypatch):
    predictor, traced = BatchPredictor(), []
    monkeypatch.setattr(batches, "trace_step", lambda asked: traced.append(asked.batch_size) or trace_step(asked))
    answers = {size: predictor.predicted(case(batch_size=size, **axes)) for size in (2, 16, 5, 40)}
    assert traced == [2, 16]
    for size in (5, 40):
        assert answers[size] == predicted_memory(case(batch_size=size, **axes))


def test_cases_that_differ_in_more_than_the_batch_share_nothing(case):
    predictor = BatchPredictor()
    for size in (2, 4):
        predictor.predicted(case(batch_size=size))
    other = predictor.predicted(case(batch_size=8, task="training"))
    assert other == predicted_memory(case(batch_size=8, task="training"))


def test_steps_that_are_not_alike_are_on_no_line(case):
    first, last = trace_step(case(batch_size=2)), trace_step(case(batch_size=4, task="training"))
    assert on_the_line({2: first, 4: last}, 3) is None
    assert on_the_line({2: first}, 3) is None


def test_what_cannot_be_predicted_is_an_error_each_time(case):
    predictor = BatchPredictor()
    for _ in range(2):
        with pytest.raises(UnpredictableError):
            predictor.predicted(case(runtime="compile"))
