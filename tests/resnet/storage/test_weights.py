import argparse
import dataclasses
import pathlib
import urllib.error

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torchvision.models import get_model_weights

import resnet
from resnet.storage import weights

SMALL = "cifar_resnet20"


class Trap:
    """A pickle that leaves a file behind if anything runs it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (pathlib.Path.touch, (self.path,))


@pytest.fixture
def network():
    torch.manual_seed(1)
    return resnet.create(SMALL)


def same(first, second):
    second = second.state_dict()
    return all(torch.equal(tensor, second[key]) for key, tensor in first.state_dict().items())


@pytest.mark.parametrize("as_text", [False, True])
def test_a_file_of_torch_loads(network, tmp_path, as_text):
    path = tmp_path / "weights.pt"
    torch.save(network.state_dict(), path)
    assert not same(resnet.create(SMALL), network)
    assert same(resnet.create(SMALL, weights=str(path) if as_text else path), network)


def test_a_file_of_safetensors_loads(network, tmp_path):
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    assert same(resnet.create(SMALL, weights=tmp_path / "weights.safetensors"), network)


def test_a_backbone_takes_the_weights_without_their_classifier(network, tmp_path):
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    backbone = resnet.create(SMALL, num_classes=0, weights=tmp_path / "weights.pt")
    assert same(backbone, network)


def test_a_configuration_takes_a_file(network, tmp_path):
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    assert same(resnet.create(resnet.VARIANTS[SMALL], weights=tmp_path / "weights.pt"), network)


@pytest.mark.parametrize("modern", [True, False])
def test_a_pickle_is_read_and_never_run(network, tmp_path, modern):
    trace = tmp_path / "ran"
    checkpoint = {"model": network.state_dict(), "epoch": 3, "args": argparse.Namespace(lr=0.1), "trap": Trap(trace)}
    torch.save(checkpoint, tmp_path / "checkpoint.pt", _use_new_zipfile_serialization=modern)
    assert same(resnet.create(SMALL, weights=tmp_path / "checkpoint.pt"), network)
    torch.save({"layer1.0.conv1.weight": Trap(trace)}, tmp_path / "evil.pt", _use_new_zipfile_serialization=modern)
    with pytest.raises(
        ValueError, match=r"evil\.pt' hold no ResNet .* \((__builtin__\.getattr|pathlib.*)\)$"
    ) as raised:
        resnet.create(SMALL, weights=tmp_path / "evil.pt")
    assert "\n" not in str(raised.value)
    assert not trace.exists()


def test_a_checkpoint_of_training_loads(network, tmp_path):
    """A checkpoint as training writes it: wrapped, compiled, in half precision, with an optimizer of its own."""
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.randn(2, 3, 32, 32)).sum().backward()
    optimizer.step()
    names = {key: f"module._orig_mod.{key.replace('fc.', 'linear.')}" for key in network.state_dict()}
    config = dataclasses.replace(network.config, shortcut="padding_both")
    torch.save(
        {
            "state_dict": {names[key]: tensor.half() for key, tensor in network.state_dict().items()},
            "optimizer": optimizer.state_dict(),
            "args": argparse.Namespace(path=tmp_path),
            "best": np.float64(91.7),
        },
        tmp_path / "checkpoint.pth.tar",
    )
    loaded = resnet.create(config, weights=tmp_path / "checkpoint.pth.tar")
    for key, tensor in network.state_dict().items():
        assert loaded.state_dict()[key].dtype == tensor.dtype
        assert torch.equal(loaded.state_dict()[key], tensor.half().to(tensor.dtype)), key


def test_notes_are_warnings_at_the_call(network, tmp_path):
    torch.save({"model": network.state_dict(), "model_ema": dict(network.state_dict())}, tmp_path / "two.pt")
    with pytest.warns(UserWarning, match=r"^weights '.*two\.pt': takes the network at 'model_ema'") as noted:
        resnet.create(SMALL, weights=tmp_path / "two.pt")
    assert [pathlib.Path(note.filename).name for note in noted] == [pathlib.Path(__file__).name]


def test_a_classifier_named_linear_says_that_padding_may_differ(network, tmp_path):
    state = {key.replace("fc.", "linear."): tensor for key, tensor in network.state_dict().items()}
    torch.save(state, tmp_path / "linear.pt")
    with pytest.warns(UserWarning, match=r"do not say where shortcuts pad .* needs .* shortcut='padding_both'$"):
        assert same(resnet.create(SMALL, weights=tmp_path / "linear.pt"), network)


def test_a_classifier_of_another_size_is_left_out_if_classes_are_given(network, tmp_path):
    torch.save({"model": network.state_dict()}, tmp_path / "weights.pt")
    with pytest.warns(
        UserWarning, match=r": they have a classifier of 10 classes; the network's own, of 7 classes, stays"
    ):
        other = resnet.create(SMALL, num_classes=7, weights=tmp_path / "weights.pt")
    assert other.fc.weight.shape == (7, 64)
    assert torch.equal(other.layer3[2].conv2.weight, network.layer3[2].conv2.weight)
    with pytest.raises(
        ValueError,
        match=r"' at 'model' have a classifier of 10 classes, and the network has 7 classes; "
        r"give num_classes=10 to take it, num_classes=7 to begin with a new classifier, or num_classes=0 for features$",
    ):
        resnet.create(dataclasses.replace(network.config, num_classes=7), weights=tmp_path / "weights.pt")


def test_a_backbone_without_a_classifier_needs_the_number_of_classes(network, tmp_path):
    torch.save(resnet.create(SMALL, num_classes=0).state_dict(), tmp_path / "backbone.pt")
    with pytest.raises(ValueError, match=r"have no classifier, and the network has 10 classes; give num_classes=10 to"):
        resnet.create(SMALL, weights=tmp_path / "backbone.pt")
    with pytest.warns(
        UserWarning, match="they have no classifier; the network's own, of 10 classes, stays as it began"
    ):
        resnet.create(SMALL, num_classes=10, weights=tmp_path / "backbone.pt")


def test_other_channels_of_images_are_named(network, tmp_path):
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    with pytest.raises(
        ValueError,
        match=r"conv1\.weight is \(16, 3, 3, 3\), not \(16, 4, 3, 3\); for images of 3 .* give in_channels=3$",
    ):
        resnet.create(SMALL, in_channels=4, weights=tmp_path / "weights.pt")


def test_weights_for_colour_images_take_grey_ones_as_three_equal_channels(network, tmp_path):
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    with pytest.warns(UserWarning, match=r"they are for colour images; conv1\.weight is summed over its channels"):
        grey = resnet.create(SMALL, in_channels=1, weights=tmp_path / "weights.pt")
    image = torch.rand(2, 1, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(
            grey.eval()(image), network.eval()(image.expand(-1, 3, -1, -1)), atol=1e-4, rtol=1e-4
        )


def test_other_shapes_are_named_and_the_network_is_left_as_it_was(network, tmp_path):
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    wide = resnet.create(dataclasses.replace(network.config, widths=(16, 32, 65)))
    before = {key: tensor.clone() for key, tensor in wide.state_dict().items()}
    with pytest.raises(
        ValueError, match=r"do not fit: layer3\.0\.conv1\.weight is \(64, 32, 3, 3\), not \(65, 32, 3, 3\);"
    ):
        weights.load(wide, tmp_path / "weights.pt", name=None)
    assert all(torch.equal(tensor, before[key]) for key, tensor in wide.state_dict().items())


@pytest.mark.parametrize("kind", ["int8", "uint8", "float8_e4m3fn", "complex64"])
def test_weights_that_need_more_than_themselves_are_refused(network, tmp_path, kind):
    state = network.state_dict()
    state["conv1.weight"] = state["conv1.weight"].to(getattr(torch, kind))
    torch.save(state, tmp_path / "weights.pt")
    with pytest.raises(ValueError, match=rf"do not fit: conv1\.weight is of {kind}, no float of 16 bits or more$"):
        resnet.create(SMALL, weights=tmp_path / "weights.pt")


def test_other_keys_are_named_and_counted(network, tmp_path):
    state = network.state_dict()
    strange = {key.replace("bn1", "norm1"): tensor for key, tensor in state.items()}
    torch.save({"net": strange}, tmp_path / "weights.pt")
    missing = [key for key in state if "bn1" in key and not key.endswith("num_batches_tracked")]
    more = len(missing) + len([key for key in strange if "norm1" in key]) - 3
    with pytest.raises(ValueError, match=rf"' at 'net' do not fit: missing bn1.weight; missing .* and {more} more$"):
        resnet.create(SMALL, weights=tmp_path / "weights.pt")


def test_a_deeper_network_misses_nothing_but_has_too_much(tmp_path):
    torch.save(resnet.create("cifar_resnet32").state_dict(), tmp_path / "weights.pt")
    with pytest.raises(ValueError, match=r"do not fit: unexpected layer1\.3\."):
        resnet.create(SMALL, weights=tmp_path / "weights.pt")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("imagenet", r"^no weights file 'imagenet'; give the path .*IMAGENET1K_V1"),
        ("https://host/file.pth", r"^no weights file 'https://host/file\.pth'; download it, and give its path$"),
    ],
)
def test_no_such_file(source, message):
    with pytest.raises(ValueError, match=message):
        resnet.create("resnet50", weights=source)


def test_a_folder_says_what_it_has(tmp_path):
    with pytest.raises(ValueError, match=r"are a folder without a weights file; give the path"):
        resnet.create(SMALL, weights=tmp_path)
    for name in ("model.safetensors", "pytorch_model.bin", "config.json"):
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match=r"are a folder with model\.safetensors; pytorch_model\.bin; give the path"):
        resnet.create(SMALL, weights=tmp_path)


@pytest.mark.parametrize(
    ("name", "weights", "message"),
    [
        ("resnet18", "IMAGENET1K_V2", r"no weights 'IMAGENET1K_V2' for resnet18: it has IMAGENET1K_V1; weights"),
        ("resnet50", "IMAGENET1K_V3", r"for resnet50: it has IMAGENET1K_V1, IMAGENET1K_V2; weights"),
        ("resnet50d", "IMAGENET1K_V1", r"for resnet50d: torchvision publishes none for it; weights may also be"),
        (resnet.ResNetConfig(), "IMAGENET1K_V1", r"for a configuration without name: torchvision publishes none"),
    ],
)
def test_weights_that_were_never_published_name_those_that_were(name, weights, message):
    with pytest.raises(ValueError, match=message):
        resnet.create(name, weights=weights)


def test_without_a_network_the_error_says_how_to_go_on(tmp_path, monkeypatch):
    def unreachable(*_args, **_kwargs):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "urlopen", unreachable)
    with pytest.raises(
        ValueError,
        match=r"^cannot get weights IMAGENET1K_V1 of resnet18 \(.*Name or service.*fetch https://.*resnet18-"
        r".*\.pth by other means and pass weights=PATH$",
    ):
        resnet.create("resnet18", weights="IMAGENET1K_V1")


def test_published_weights_load_as_torchvision_loads_them(tmp_path, monkeypatch):
    # The cache that torchvision looks in first stands for the network; old checkpoints count no batches.
    torch.manual_seed(2)
    theirs = torchvision.models.resnet18()
    old = {key: value for key, value in theirs.state_dict().items() if not key.endswith("num_batches_tracked")}
    url = get_model_weights("resnet18").IMAGENET1K_V1.url
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    torch.save(old, cache / url.rpartition("/")[2])
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    ours = resnet.create("resnet18", weights="IMAGENET1K_V1")
    assert same(ours, theirs)


def test_a_damaged_file_in_the_cache_is_one_line(tmp_path, monkeypatch):
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    (cache / get_model_weights("resnet18").IMAGENET1K_V1.url.rpartition("/")[2]).write_bytes(b"h&")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(
        ValueError, match=r"^cannot get weights IMAGENET1K_V1 of resnet18 \(KeyError.*pass weights=PATH$"
    ):
        resnet.create("resnet18", weights="IMAGENET1K_V1")
