"""Where timm has the network: the same parameters, MACs and activations, and the same outputs on its weights."""

import re
import warnings

import pytest
import timm
import torch
from torch import nn

import resnet

TIMM = {
    "resnet26": "resnet26",
    "resnet18d": "resnet18d",
    "resnet34d": "resnet34d",
    "resnet50d": "resnet50d",
    "resnet101d": "resnet101d",
    "resnet152d": "resnet152d",
    "preact_resnet18": "resnetv2_18",
    "preact_resnet34": "resnetv2_34",
    "preact_resnet50": "resnetv2_50",
    "preact_resnet101": "resnetv2_101",
    "preact_resnet152": "resnetv2_152",
}


def counts(network):
    """Parameters, multiply-adds and activations of a network on the meta device at 224 pixels."""
    macs, activations = [], []

    def count(module, _inputs, output):
        # Each output of a convolution or linear layer is the sum over one filter's weights.
        macs.append(output.numel() * module.weight[0].numel())
        activations.append(output.numel())

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count)
    network.eval()(torch.empty(1, 3, 224, 224, device="meta"))
    return sum(parameter.numel() for parameter in network.parameters()), sum(macs), sum(activations)


@pytest.mark.parametrize("name", TIMM)
def test_parameters_macs_and_activations_are_the_same(name):
    with torch.device("meta"):
        ours, theirs = resnet.create(name), timm.create_model(TIMM[name])
    assert counts(ours) == counts(theirs)


@pytest.mark.parametrize("name", ["resnet18d", "preact_resnet18"])
def test_fvcore_counts_the_same(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fvcore scripts with torch.jit when imported and when it traces
        from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis  # noqa: PLC0415

        images = torch.randn(1, 3, 64, 64)
        figures = []
        for network in (resnet.create(name), timm.create_model(TIMM[name])):
            flops = FlopCountAnalysis(network.eval(), images).unsupported_ops_warnings(enabled=False)
            flops.uncalled_modules_warnings(enabled=False)
            by_operator = flops.by_operator()
            activations = ActivationCountAnalysis(network, images).unsupported_ops_warnings(enabled=False)
            activations.uncalled_modules_warnings(enabled=False)
            # timm's pre-activation classifier is a 1x1 convolution.
            figures.append((by_operator["conv"] + by_operator["linear"], activations.total()))
    assert figures[0] == figures[1]
    assert all(figures[0])


def translated(state):
    """timm's state dict under our names."""
    renamed = {}
    for key, tensor in state.items():
        new = re.sub(r"^stages\.(\d)\.blocks\.", lambda stage: f"layer{int(stage[1]) + 1}.", key)
        new = re.sub(r"\.norm(\d)\.", r".bn\1.", new)
        new = new.replace("downsample.conv.", "downsample.0.").replace("stem.conv.", "conv1.")
        new = re.sub(r"^norm\.", "norm.0.", new).replace("head.fc.", "fc.")
        renamed[new] = tensor.flatten(1) if new == "fc.weight" else tensor
    return renamed


@pytest.mark.parametrize("name", ["resnet18d", "resnet50d", "preact_resnet18", "preact_resnet50"])
def test_outputs_are_the_same_on_the_same_weights(name):
    torch.manual_seed(0)
    theirs = timm.create_model(TIMM[name])
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight.data, module.bias.data, module.running_mean, module.running_var):
                tensor.uniform_(0.5, 1.5)
    ours = resnet.create(name)
    state = theirs.state_dict()
    ours.load_state_dict(translated(state) if name.startswith("preact") else state, strict=True)
    # An odd size, so that pooling has a pixel over at the edge in some stage.
    images = torch.randn(2, 3, 75, 75)
    with torch.no_grad():
        for mode in (False, True):
            expected = theirs.train(mode)(images)
            torch.testing.assert_close(ours.train(mode)(images), expected, rtol=1e-4, atol=1e-4)
            assert expected.std() > 0.01
