import dataclasses

import pytest
import torch
from torch.nn import functional

from resnet.model import ResNet
from resnet.training.learner import Learner, be_deterministic, resized
from tests.resnet.training.conftest import CONFIG, RECIPE, same_weights


class Blind(ResNet):
    """A network whose batch norms are out of the way, so that parts of a batch add up to the batch."""

    def train(self, mode=True):
        return super().train(mode=False)


def batch(count=8):
    random = torch.Generator().manual_seed(1)
    return torch.rand(count, 1, 8, 8, generator=random), torch.randint(0, 4, (count,), generator=random)


def learner_of(network=ResNet, options=None, **changes):
    torch.manual_seed(0)
    made = network(CONFIG).train()
    return made, Learner(made, dataclasses.replace(RECIPE, **changes), **(options or {}))


def test_a_step_is_that_of_a_plain_loop():
    network, learner = learner_of(label_smoothing=0.1, weight_decay=1e-3, nesterov=True)
    twin, _ = learner_of()
    optimizer = torch.optim.SGD(twin.parameters(), 0.02, 0.9, weight_decay=1e-3, nesterov=True)
    for _ in range(3):
        images, labels = batch()
        sums = learner.step(images, labels, 0.02)
        logits = twin(images)
        loss = functional.cross_entropy(logits, labels, label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert sums.tolist() == pytest.approx([8 * loss.item(), (logits.argmax(1) == labels).sum().item()], rel=1e-4)
    for ours, theirs in zip(network.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 1.0, 2.0, 4.0])])
@pytest.mark.parametrize("parts", [3, 8])
def test_accumulation_gives_the_gradients_of_the_whole_batch(weights, parts):
    networks = []
    for accumulate in (1, parts):
        network, learner = learner_of(Blind, {"class_weights": weights}, accumulate=accumulate, clip_norm=1.0)
        sums = learner.step(*batch(), 0.1)
        networks.append((network, sums))
    (whole, first), (split, second) = networks
    torch.testing.assert_close(first, second)
    for ours, theirs in zip(split.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_class_weights_are_those_of_torch():
    weights = torch.tensor([0.5, 1.0, 2.0, 4.0])
    network, learner = learner_of(Blind, {"class_weights": weights}, label_smoothing=0.2)
    images, labels = batch()
    expected = functional.cross_entropy(network(images), labels, weight=weights, label_smoothing=0.2).item()
    assert learner.step(images, labels, 0.1)[0].item() == pytest.approx(8 * expected, rel=1e-5)


def test_clipping_bounds_the_step():
    network, learner = learner_of(clip_norm=0.01, momentum=0.0)
    before = torch.cat([parameter.detach().flatten() for parameter in network.parameters()])
    learner.step(*batch(), 1.0)
    after = torch.cat([parameter.detach().flatten() for parameter in network.parameters()])
    assert (after - before).norm().item() == pytest.approx(0.01, rel=1e-3)


def test_a_scaled_loss_trains_alike():
    networks = []
    for scaled in (False, True):
        network, learner = learner_of(Blind, {"scale_loss": scaled}, clip_norm=0.5)
        learner.step(*batch(), 0.1)
        networks.append(network)
        assert learner.scaler.is_enabled() == scaled
    for ours, theirs in zip(*(network.parameters() for network in networks), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_autocast_computes_in_its_type_and_the_loss_in_float32():
    seen = []
    network, learner = learner_of(options={"autocast": torch.bfloat16})
    network.fc.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    sums = learner.step(*batch(), 0.1)
    assert seen == [torch.bfloat16]
    assert sums.dtype == torch.float32
    assert network.fc.weight.dtype == torch.float32


def test_validation_neither_learns_nor_smooths():
    network, learner = learner_of(label_smoothing=0.5)
    before, _ = learner_of()
    network.eval()
    images, labels = batch(10)
    sums, count = learner.validate([(images[:8], labels[:8]), (images[8:], labels[8:])])
    with torch.no_grad():
        logits = network(images)
    loss = functional.cross_entropy(logits, labels, reduction="sum").item()
    assert count == 10
    assert sums.tolist() == pytest.approx([loss, (logits.argmax(1) == labels).sum().item()], rel=1e-5)
    assert same_weights(network, before)


def test_compiled_code_sees_a_single_shape(monkeypatch):
    shapes = []

    def compiled(function, *, dynamic):
        assert dynamic is False

        def call(images, *rest):
            shapes.append(tuple(images.shape))
            return function(images, *rest)

        return call

    monkeypatch.setattr(torch, "compile", compiled)
    network, learner = learner_of(options={"compiled": True}, batch_size=8)
    plain_network, plain = learner_of()
    images, labels = batch(11)
    batches = [(images[:8], labels[:8]), (images[8:], labels[8:])]
    network.eval()
    plain_network.eval()
    sums, count = learner.validate(batches)
    assert count == 11
    torch.testing.assert_close(sums, plain.validate(batches)[0])
    learner.step(images[:8], labels[:8], 0.1)
    assert shapes == [(8, 1, 8, 8)] * 3


def test_torch_becomes_deterministic(forgetful):
    be_deterministic()
    assert torch.are_deterministic_algorithms_enabled()


def test_images_are_resized_in_their_memory_format():
    images = torch.rand(2, 3, 8, 8).contiguous(memory_format=torch.channels_last)
    small = resized(images, 4)
    assert small.shape == (2, 3, 4, 4)
    assert small.is_contiguous(memory_format=torch.channels_last)
    assert float(small.mean()) == pytest.approx(float(images.mean()), abs=0.02)
    assert resized(images, 8) is images
