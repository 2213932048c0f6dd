import dataclasses
import json

import pytest
import safetensors.torch
import torch

import resnet
from resnet.storage.saved import FILE_FORMAT, NetworkFacts, read_network, save_network

TINY = resnet.ResNetConfig(
    block="basic", depths=(1, 1), widths=(4, 8), stem="cifar", stem_width=4, num_classes=3, in_channels=1
)
FACTS = {"classes": ("shirt", "été\n", "3"), "mean": (0.25,), "std": (0.5,), "image_size": 8}


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = resnet.ResNet(TINY)
    network(torch.randn(4, 1, 8, 8))  # the running statistics are no longer those of the beginning
    return network


@pytest.fixture
def saved(tmp_path, network):
    path = tmp_path / "network.safetensors"
    save_network(path, network, **FACTS)
    return path


def changed(path, tensors=None, **metadata):
    """Write the file again with other metadata; None leaves a part out."""
    with safetensors.safe_open(path, "pt") as file:
        words, given = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    words = {name: text for name, text in (words | metadata).items() if text is not None}
    safetensors.torch.save_file(given if tensors is None else tensors, path, words)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_network_comes_back_as_it_was(tmp_path, network, layout):
    path = tmp_path / "network.safetensors"
    network = network.to(memory_format=layout)
    save_network(path, network, **FACTS)
    again, facts = read_network(path)
    assert again.config == TINY
    assert not again.training
    assert facts == NetworkFacts(**FACTS)
    images = torch.randn(5, 1, 8, 8)
    assert torch.equal(again(images), network.eval().to(memory_format=torch.contiguous_format)(images))
    again(images).sum().backward()  # it can be trained on
    assert again.fc.weight.grad is not None
    assert [file.name for file in tmp_path.iterdir()] == ["network.safetensors"]


def test_the_weights_are_a_file_for_create_too(saved, network):
    again = resnet.create(TINY, weights=saved)
    assert torch.equal(again.fc.weight, network.fc.weight)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"classes": ("a", "b")}, "3 outputs, and there are 2 classes"),
        ({"mean": (0.1, 0.1)}, "takes 1 channels"),
        ({"std": (0.0,)}, "std should be positive"),
        ({"mean": (float("nan"),)}, "mean should be finite"),
        ({"image_size": 1}, "too small"),
    ],
)
def test_facts_that_do_not_fit_are_not_saved(tmp_path, network, wrong, words):
    with pytest.raises(ValueError, match=words):
        save_network(tmp_path / "network.safetensors", network, **FACTS | wrong)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"format": None}, "no such file; expected a trained network"),
        ({"format": "pt"}, "no such file; expected a trained network"),
        ({"config": None}, "metadata are damaged"),
        ({"config": "{"}, "metadata are damaged"),
        ({"config": "[" * 100_000}, "metadata are damaged"),
        ({"config": json.dumps({"depths": 3})}, "metadata are damaged"),
        ({"config": json.dumps({"code": "os.system"})}, "metadata are damaged"),
        ({"config": json.dumps(dataclasses.asdict(TINY) | {"stem": "none"})}, "metadata are damaged"),
        ({"config": json.dumps(dataclasses.asdict(TINY) | {"depths": [10**9, 1]})}, "1000000001 blocks"),
        ({"config": json.dumps(dataclasses.asdict(TINY) | {"widths": [4, 10**12]})}, "cannot read the network"),
        ({"config": json.dumps(dataclasses.asdict(TINY) | {"widths": [4, 10**30]})}, "makes no network"),
        ({"config": json.dumps(dataclasses.asdict(TINY) | {"widths": [4, 16]})}, "do not fit its configuration"),
        ({"classes": json.dumps(["a", "b"])}, "3 outputs, and there are 2 classes"),
        ({"classes": json.dumps([1, 2, 3])}, "metadata are damaged"),
        ({"std": json.dumps(["x"])}, "metadata are damaged"),
        ({"image_size": "8.5"}, "metadata are damaged"),
    ],
)
def test_foreign_and_damaged_metadata_are_a_line(saved, metadata, words):
    changed(saved, **metadata)
    with pytest.raises(ValueError, match=words) as caught:
        read_network(saved)
    assert "\n" not in str(caught.value)
    assert str(saved) in str(caught.value)


def test_weights_of_another_type_are_a_line(saved, network):
    changed(saved, {name: tensor.double() for name, tensor in network.state_dict().items()})
    with pytest.raises(ValueError, match="is of float64"):
        read_network(saved)


@pytest.mark.parametrize("content", [b"", b"\x80\x04pickle", b"PK\x03\x04", b"text " * 100])
def test_what_is_no_safetensors_is_a_line(tmp_path, content):
    path = tmp_path / "network.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="cannot read the network") as caught:
        read_network(path)
    assert "\n" not in str(caught.value)


def test_a_cut_file_is_a_line(saved):
    saved.write_bytes(saved.read_bytes()[:-100])
    with pytest.raises(ValueError, match="damaged"):
        read_network(saved)


def test_no_file_is_a_line(tmp_path):
    with pytest.raises(ValueError, match="there is no such file"):
        read_network(tmp_path)


def test_a_disk_that_refuses_leaves_the_earlier_file(saved, network, monkeypatch):
    before = saved.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ValueError, match="No space left on device; the earlier file stays"):
        save_network(saved, network, **FACTS)
    assert saved.read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == [saved.name]


def test_the_format_has_a_version():
    assert FILE_FORMAT.endswith(" 1")
