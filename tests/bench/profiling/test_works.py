import pytest

from bench.profiling.works import layer_works


def by_name(works, phase="forward"):
    return {work.name: work for work in works if work.phase == phase}


@pytest.fixture
def case(make_case):
    return lambda **axes: make_case(**{"model": "resnet18", "image_size": 64, "batch_size": 2, **axes})


def test_bytes_are_those_of_operands_and_result(case):
    works, reason = layer_works(case())
    assert reason is None
    conv = by_name(works)["conv1"]
    assert conv.bytes == 4 * (2 * 3 * 64 * 64 + 64 * 3 * 7 * 7 + 2 * 64 * 32 * 32)
    assert conv.fused_bytes == conv.bytes
    relu = by_name(works)["relu"]
    assert (relu.bytes, relu.fused_bytes, relu.flops) == (2 * 4 * 2 * 64 * 32 * 32, 0, 0)
    fc = by_name(works)["fc"]
    assert fc.flops == 2 * 2 * 512 * 1000
    assert fc.bytes == 4 * (2 * 512 + 512 * 1000 + 1000 + 2 * 1000)


def test_the_sum_of_a_block_is_the_block_s(case):
    works, _ = layer_works(case())
    size = 4 * 2 * 64 * 16 * 16
    assert (by_name(works)["layer1.0"].bytes, by_name(works)["layer1.0"].fused_bytes) == (3 * size, size)


def test_half_of_the_bytes_move_in_half_precision(case):
    full, half = (by_name(layer_works(case(precision=precision))[0]) for precision in ("fp32", "amp-bf16"))
    assert half["conv1"].bytes * 2 == full["conv1"].bytes


def test_the_first_layer_has_no_gradient_of_its_input(case):
    works, _ = layer_works(case(task="training"))
    forward, backward = by_name(works), by_name(works, "backward")
    assert backward["conv1"].flops == forward["conv1"].flops
    assert backward["layer1.0.conv1"].flops == 2 * forward["layer1.0.conv1"].flops


def test_a_detector_has_no_fixed_work(case):
    works, reason = layer_works(case(head="faster-rcnn"))
    assert works == ()
    assert "depends on the images" in reason


@pytest.mark.parametrize("model", ["preact_resnet50", "cifar_resnet20", "resnext50_32x4d", "torchvision:vgg16"])
def test_any_model_has_works(case, model):
    works, _ = layer_works(case(model=model, task="training"))
    assert sum(work.flops for work in works) > 0
