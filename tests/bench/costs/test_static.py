import pytest
from msgspec import structs

from bench.costs.static import cost, costs, model_bytes, stages
from bench.suites import models
from bench.tasks.networks import create_network
from results.errors import InputError


@pytest.fixture(scope="module")
def resnet50():
    return cost("resnet50")


def test_resnet50_has_its_published_cost(resnet50):
    # 25.6 M parameters and 4.09 GMACs are torchvision's figures, 11.1 M activations timm's.
    assert (resnet50.parameters, resnet50.trainable_parameters) == (25_557_032, 25_557_032)
    assert (resnet50.macs, resnet50.flops) == (4_089_184_256, 8_178_368_512)
    assert resnet50.activations == 11_114_984
    assert resnet50.fvcore_macs > resnet50.macs
    first = next(layer for layer in resnet50.layers if layer.name == "conv1")
    assert resnet50.training_flops == 3 * resnet50.flops - 2 * first.macs
    assert (resnet50.image_size, resnet50.num_classes, resnet50.block, resnet50.depth) == (224, 1000, "bottleneck", 50)
    assert (resnet50.imagenet_top1, resnet50.imagenet_weights) == (pytest.approx(0.80858), "IMAGENET1K_V2")


def test_a_published_accuracy_is_of_the_published_classes_and_image_size():
    assert cost("resnet18").imagenet_weights == "IMAGENET1K_V1"
    for other in ({"image_size": 64}, {"num_classes": 10}, {"image_size": 64, "num_classes": 10}):
        static = cost("resnet18", **other)
        assert (static.imagenet_top1, static.imagenet_weights) == (None, None)


def test_bytes_count_the_batch_counters_as_the_integers_they_are(resnet50):
    floating = resnet50.parameters + resnet50.buffers - 53  # 53 batch norms, each with a 64-bit counter
    assert resnet50.model_bytes == {
        "fp32": 4 * floating + 8 * 53,
        "fp16": 2 * floating + 8 * 53,
        "bf16": 2 * floating + 8 * 53,
    }


def test_bytes_are_those_of_the_converted_model():
    import torch  # noqa: PLC0415

    model = create_network("cifar_resnet20")
    counted = model_bytes(model)
    for precision, dtype in {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}.items():
        model.to(dtype)
        assert sum(t.nbytes for t in (*model.parameters(), *model.buffers())) == counted[precision]


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("preact_resnet18", 64),
        ("resnext50_32x4d", 64),
        ("resnet18d", 64),
        ("plain18", 64),
        ("cifar_wrn_28_10", 32),
        ("torchvision:vgg16", 32),
    ],
)
def test_layers_and_stages_add_up_to_the_totals(name, size):
    static = cost(name, image_size=size)
    for rows in (static.layers, static.stages):
        for field in ("parameters", "macs", "activations"):
            assert sum(getattr(row, field) for row in rows) == getattr(static, field) > 0
    assert len({layer.name for layer in static.layers}) == len(static.layers)
    assert len({stage.name for stage in static.stages}) == len(static.stages)
    assert static.family == models.family(name)
    assert static.arithmetic_intensity > 0


def test_ours_costs_what_torchvisions_does():
    ours, theirs = (cost(f"{prefix}resnet18", image_size=64) for prefix in ("", "torchvision:"))
    rows = [[layer for layer in static.layers if layer.parameters] for static in (ours, theirs)]
    assert rows[0] == rows[1]
    assert structs.replace(ours, model=theirs.model, layers=(), stages=()) == structs.replace(
        theirs, layers=(), stages=()
    )


def test_the_cost_of_an_image_is_that_of_its_sides_and_its_channels():
    square = cost("cifar_resnet20", image_size=32)
    oblong, turned = (cost("cifar_resnet20", image_size=size) for size in ("32x64", "64x32"))
    head = square.layers[-1].macs
    assert oblong.macs - head == turned.macs - head == 2 * (square.macs - head)
    assert oblong.layers[0].output_shape == (1, 16, 32, 64)
    grey = cost("cifar_resnet20", image_size="32x32", in_channels=1)
    assert (grey.image_size, grey.in_channels) == (32, 1)
    assert square.macs - grey.macs == 2 * 9 * 16 * 32 * 32  # two channels less of the first 3x3 convolution
    assert square.parameters - grey.parameters == 2 * 9 * 16


@pytest.mark.parametrize("images", [{"in_channels": 1}, {"image_size": "224x160"}])
def test_other_images_have_no_published_accuracy(images):
    assert cost("resnet18", **images).imagenet_top1 is None


def test_other_heads_have_the_cost_of_the_same_body():
    usual, bare, masked = (
        cost("resnet18", image_size=64, head=head) for head in ("classifier", "none", "segmentation")
    )
    assert usual.macs - bare.macs == 512 * 1000
    assert usual.parameters - bare.parameters == 513 * 1000
    decoder = next(stage for stage in masked.stages if stage.name == "decoder")
    assert masked.macs == bare.macs + 512 * 2 + decoder.macs
    assert (bare.head, bare.num_classes, masked.num_classes, usual.head) == ("none", 0, 2, "classifier")
    assert cost("resnet18", head="segmentation").imagenet_top1 is None


@pytest.mark.parametrize(
    ("name", "head", "reason"),
    [
        ("resnet18", "faster-rcnn", "no constant: the number of boxes"),
        ("torchvision:resnet18", "none", "has only its classifier"),
    ],
)
def test_a_cost_that_is_none_is_refused(name, head, reason):
    with pytest.raises(InputError, match=reason):
        cost(name, head=head)


@pytest.mark.parametrize("images", [{"image_size": "224x"}, {"image_size": "224x16"}, {"in_channels": 0}])
def test_images_that_are_none_are_refused(images):
    with pytest.raises(InputError, match=next(iter(images)).replace("_", "[_ ]")):
        cost("resnet18", **images)


def test_a_larger_image_costs_by_its_area_and_is_more_intensive():
    small, large = (cost("cifar_resnet20", image_size=size, num_classes=7) for size in (32, 64))
    fully_connected = small.layers[-1].macs
    assert small.layers[-1].macs == large.layers[-1].macs == 64 * 7
    assert large.macs - fully_connected == 4 * (small.macs - fully_connected)
    assert large.arithmetic_intensity > small.arithmetic_intensity
    assert (small.num_classes, small.parameters) == (7, large.parameters)


def test_stages_keep_the_order_of_execution(resnet50):
    named = [stage.name for stage in stages(resnet50.layers)]
    assert [name for name in named if name.startswith("layer")] == ["layer1", "layer2", "layer3", "layer4"]
    assert (named[0], named[-1]) == ("conv1", "fc")


def test_an_unknown_model_is_named_before_anything_is_counted():
    with pytest.raises(InputError, match="unknown model 'resnt50'; did you mean 'resnet50'"):
        costs(["resnet152", "resnt50"])


@pytest.mark.parametrize("size", [-1, 0, 1])
def test_a_small_image_is_refused_with_the_least_size(size):
    least = models.minimum_image_size("torchvision:vgg16")
    with pytest.raises(InputError, match=f"image size {size} is too small for 'torchvision:vgg16'.*{least} pixels"):
        cost("torchvision:vgg16", image_size=size)


def test_many_models_come_one_by_one():
    found = costs(iter(["cifar_resnet20", "cifar_plain20"]))
    assert next(found).model == "cifar_resnet20"
    assert next(found).model == "cifar_plain20"
    assert next(found, None) is None
