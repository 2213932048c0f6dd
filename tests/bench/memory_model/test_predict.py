import pytest

from bench.measure.device import open_device
from bench.memory_model.measure import measured_memory
from bench.memory_model.predict import MOST_POINTS, UnpredictableError, predicted_memory
from bench.tasks.workload import build
from results.schema.labels import OPTIMIZERS


@pytest.fixture
def case(make_case):
    return lambda **axes: make_case(**{"model": "resnet18", "image_size": 96, "batch_size": 4, "threads": 1, **axes})


def measured(case):
    workload = build(case)
    with workload.context():
        workload.step(lambda: None)
    return measured_memory(case, workload, open_device("cpu"))


AXES = [
    {},
    {"task": "training"},
    {"task": "training", "layout": "nhwc", "model": "resnet50", "batch_size": 2},
    {"task": "training", "grad_checkpointing": "blocks"},
    {"task": "training", "optimizer": "adam", "precision": "amp-bf16"},
]


@pytest.mark.parametrize("axes", AXES)
def test_the_prediction_is_near_the_allocations_of_a_real_step(case, axes):
    real = measured(case(**axes))
    assert predicted_memory(case(**axes)).parts.total == pytest.approx(real.peak_bytes, rel=0.03)
    assert max(point.bytes for point in real.points) == real.peak_bytes


def test_the_parts_are_those_of_the_network(case):
    parts = predicted_memory(case(task="training")).parts
    weights = 4 * 11_689_512
    assert (parts.parameters, parts.optimizer, parts.images) == (weights, weights, 4 * (4 * 3 * 96 * 96) + 8 * 4)
    assert 0 < parts.gradients <= weights
    assert parts.saved > 0
    inference = predicted_memory(case()).parts
    assert (inference.gradients, inference.optimizer, inference.saved) == (0, 0, 0)


def test_activations_grow_with_the_batch_and_the_rest_does_not(case):
    few, many = (predicted_memory(case(task="training", batch_size=size)).parts for size in (4, 8))
    assert many.saved > 1.8 * few.saved
    assert (many.parameters, many.optimizer, many.buffers) == (few.parameters, few.optimizer, few.buffers)


def test_checkpoints_save_activations(case):
    plain, blocks = (
        predicted_memory(case(task="training", batch_size=16, grad_checkpointing=value)).parts
        for value in ("none", "blocks")
    )
    assert blocks.saved < 0.6 * plain.saved
    assert blocks.total < plain.total


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "sgd:foreach", "adam:fused"])
def test_an_optimizer_has_its_states(case, optimizer):
    parts = predicted_memory(case(task="training", optimizer=optimizer)).parts
    steps = 1_000  # Adam counts its steps in tensors of their own
    assert parts.optimizer == pytest.approx(OPTIMIZERS[optimizer].states * parts.parameters, abs=steps)


def test_the_peak_is_among_the_points_and_has_its_place(case):
    answer = predicted_memory(case(task="training"))
    assert answer.phase == "backward"
    assert answer.module.startswith("layer")
    assert len(answer.points) <= MOST_POINTS
    assert max(point.bytes for point in answer.points) == answer.parts.total
    assert answer.points[0].bytes >= answer.parts.parameters + answer.parts.optimizer  # they live before the step
    assert {point.phase for point in answer.points} >= {"forward", "backward", "optimizer"}
    assert any(point.module == "layer1.0.conv1" for point in answer.points)


@pytest.mark.parametrize(
    ("axes", "reason"),
    [
        ({"head": "faster-rcnn"}, "depends on data"),
        ({"runtime": "compile"}, "decides itself"),
        ({"optimizer": "adam"}, "inference has no optimizer"),
        ({"grad_checkpointing": "stages"}, "no grad checkpointing"),
    ],
)
def test_what_cannot_be_predicted_has_a_reason(case, axes, reason):
    with pytest.raises(UnpredictableError, match=reason):
        predicted_memory(case(**axes))
