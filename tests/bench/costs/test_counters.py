import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from bench.costs import counters
from bench.costs.counters import ROOT, CounterError, count
from bench.tasks.networks import create_network
from results.errors import InputError

NAMES = [
    "resnet18",
    "resnet18d",
    "preact_resnet18",
    "resnext50_32x4d",
    "cifar_resnet20",
    "torchvision:alexnet",
]


def fvcore_with_arithmetic(name, size):
    """fvcore used the ordinary way: real weights, real arithmetic, two analyses."""
    model = create_network(name).eval()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis  # noqa: PLC0415

        analyses = []
        for analysis in (FlopCountAnalysis, ActivationCountAnalysis):
            found = analysis(model, torch.zeros(1, 3, size, size))
            found.unsupported_ops_warnings(enabled=False).uncalled_modules_warnings(enabled=False)
            analyses.append((found.by_module(), sorted(found.unsupported_ops())))
    return analyses


@pytest.mark.parametrize("name", NAMES)
def test_counts_are_fvcores_although_nothing_is_computed(name):
    size = 64
    (flops, unknown), (activations, _) = fvcore_with_arithmetic(name, size)
    counts = count(lambda: create_network(name), (1, 3, size, size))
    assert counts.fvcore_macs == flops[""]
    assert sum(layer.activations for layer in counts.layers) == activations[""] > 0
    assert counts.uncounted == tuple(unknown)
    weighted = [layer for layer in counts.layers if layer.macs]
    assert [(layer.name, layer.macs, layer.activations) for layer in weighted] == [
        (layer.name, flops[layer.name], activations[layer.name]) for layer in weighted
    ]


def test_counts_are_the_same_where_torch_cannot_replace_a_kernel(monkeypatch):
    shape = (1, 3, 40, 40)
    fast = count(lambda: create_network("resnet18"), shape)
    monkeypatch.delattr(torch.library, "get_kernel")
    assert count(lambda: create_network("resnet18"), shape) == fast


convolutions = st.fixed_dictionaries(
    {
        "groups": st.sampled_from([1, 2, 4]),
        "width": st.sampled_from([1, 2, 3]),
        "kernel_size": st.integers(1, 3),
        "stride": st.integers(1, 2),
        "padding": st.integers(0, 2),
        "dilation": st.integers(1, 2),
        "bias": st.booleans(),
    }
)


@settings(max_examples=15, deadline=None)
@given(layers=st.lists(convolutions, min_size=1, max_size=3), batch=st.integers(1, 2))
def test_any_stack_of_convolutions_costs_what_its_formula_says(layers, batch):
    arguments, channels, size = [], 4, 24
    forward = moved = first = activations = 0
    for layer in layers:
        out, kernel = 4 * layer["width"], layer["kernel_size"]
        settings_ = {name: value for name, value in layer.items() if name != "width"}
        arguments.append({"in_channels": channels, "out_channels": out, **settings_})
        covered = layer["dilation"] * (kernel - 1) + 1
        result = (size + 2 * layer["padding"] - covered) // layer["stride"] + 1
        weights = out * (channels // layer["groups"]) * kernel**2
        written = batch * out * result**2
        macs = batch * weights * result**2
        first = first or macs
        forward += macs
        activations += written
        moved += batch * channels * size**2 + weights + out * layer["bias"] + written
        channels, size = out, result
    counts = count(lambda: nn.Sequential(*(nn.Conv2d(**each) for each in arguments)), (batch, 4, 24, 24))
    assert sum(layer.macs for layer in counts.layers) == forward
    assert sum(layer.activations for layer in counts.layers) == activations
    assert counts.moved_elements == moved
    assert counts.training_flops == 2 * (3 * forward - first)  # nobody needs the gradient of the images
    assert counts.layers[-1].output_shape == (batch, channels, size, size)


@pytest.mark.parametrize("transposed", [False, True])
def test_backward_formula_is_torchs_own_without_groups(transposed):
    from torch.utils.flop_counter import FlopCounterMode  # noqa: PLC0415

    def build():
        kind = nn.ConvTranspose2d if transposed else nn.Conv2d
        return nn.Sequential(kind(3, 6, 3, stride=2), kind(6, 4, 2, bias=False))

    with FlopCounterMode(display=False) as reference:
        build()(torch.zeros(2, 3, 11, 11)).sum().backward()
    assert count(build, (2, 3, 11, 11)).training_flops == reference.get_total_flops()


class Branches(nn.Module):
    """A grouped convolution taken apart."""

    def __init__(self):
        super().__init__()
        self.parts = nn.ModuleList(nn.Conv2d(4, 3, 3) for _ in range(4))

    def forward(self, images):
        return torch.cat([part(x) for part, x in zip(self.parts, images.chunk(4, 1), strict=True)], 1)


def test_a_grouped_convolution_trains_at_the_cost_of_its_parts():
    shape = (1, 16, 9, 9)
    together = count(lambda: nn.Conv2d(16, 12, 3, groups=4), shape)
    assert together.training_flops == count(Branches, shape).training_flops == 2 * together.layers[0].macs * 2


class Untidy(nn.Module):
    """Everything that a tidy network does not do."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.shared = nn.Conv2d(4, 4, 1, bias=False)
        self.block = nn.Sequential(nn.ReLU(), self.shared)
        self.never = nn.Linear(5, 6)
        self.free = nn.Parameter(torch.ones(2, 4))

    def forward(self, images):
        x = self.block(self.shared(self.first(images) * self.scale[:, None, None]))
        return {"logits": nn.functional.linear(x.mean((2, 3)), self.free), "aux": [x]}


def test_shared_uncalled_and_functional_layers_are_rows_that_add_up():
    counts = count(Untidy, (1, 3, 8, 8))
    rows = {layer.name: layer for layer in counts.layers}
    assert list(rows) == ["first", "shared", "block.0", ROOT, "never"]
    assert rows["shared"].macs == 2 * 16 * 64
    assert rows["shared"].activations == 2 * 4 * 64
    assert rows["shared"].parameters == 16
    assert (rows["never"].output_shape, rows["never"].macs, rows["never"].parameters) == ((), 0, 36)
    assert (rows[ROOT].macs, rows[ROOT].activations, rows[ROOT].parameters) == (8, 2, 4 + 8)
    assert sum(layer.parameters for layer in counts.layers) == sum(p.numel() for p in Untidy().parameters())
    assert {layer.stage for layer in counts.layers} == {"first", "shared", "block", ROOT, "never"}


def test_a_lone_layer_is_a_model():
    counts = count(lambda: nn.Linear(5, 7), (3, 5))
    (layer,) = counts.layers
    assert (layer.name, layer.type, layer.output_shape, layer.macs) == (ROOT, "Linear", (3, 7), 3 * 5 * 7)
    assert counts.training_flops == 2 * 2 * 3 * 5 * 7
    assert counts.moved_elements == 3 * 5 + 5 * 7 + 7 + 3 * 7


def test_a_frozen_model_trains_at_the_cost_of_its_forward_pass():
    def build():
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).requires_grad_(requires_grad=False)

    counts = count(build, (1, 3, 8, 8))
    assert counts.training_flops == 2 * counts.layers[0].macs


def test_disagreement_names_the_layer_and_both_counts(monkeypatch):
    from torch.utils import flop_counter  # noqa: PLC0415

    honest = flop_counter.flop_registry[torch.ops.aten.convolution]

    def wrong(inputs, weight, *args, **kwargs):
        return honest(inputs, weight, *args, **kwargs) + 2 * (tuple(weight.shape) == (128, 64, 1, 1))

    wrong._get_raw = True
    monkeypatch.setitem(flop_counter.flop_registry, torch.ops.aten.convolution, wrong)
    with pytest.raises(CounterError, match=r"layer 'layer2\.0\.downsample\.0' \(Conv2d\).*2097152.*4194306"):
        count(lambda: create_network("resnet18"), (1, 3, 128, 128))


@pytest.mark.parametrize("size", [100_000, 10**10])
def test_what_does_not_fit_in_memory_is_refused_before_it_is_tried(monkeypatch, size):
    monkeypatch.setattr(counters, "_trace", None)
    with pytest.raises(InputError, match=rf"^counting for an input of 1x3x{size}x{size} takes about \d+ GB .*smaller"):
        count(lambda: create_network("resnet18"), (1, 3, size, size))


def test_the_largest_layer_decides_whether_it_fits(monkeypatch):
    shape = (1, 3, 64, 64)
    largest = 4 * 64 * 32 * 32  # bytes of the first convolution's output
    monkeypatch.setattr(counters.memory, "available", lambda: 6 * largest)
    with pytest.raises(InputError, match="choose a smaller image"):
        count(lambda: create_network("resnet18"), shape)
    monkeypatch.setattr(counters.memory, "available", lambda: 6 * largest + 4 * 3 * 64 * 64)
    assert count(lambda: create_network("resnet18"), shape).layers
