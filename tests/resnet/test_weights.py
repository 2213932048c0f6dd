import pathlib
import pickle
import random
import re
import urllib.error

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torchvision.models import get_model_weights

import resnet

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


def test_a_pickle_is_refused_and_never_run(tmp_path):
    trace = tmp_path / "ran"
    for index, write in enumerate((torch.save, lambda thing, path: path.write_bytes(pickle.dumps(thing, 2)))):
        path = tmp_path / f"evil{index}.pt"
        write({"conv1.weight": Trap(trace)}, path)
        with pytest.raises(
            ValueError, match=r"^cannot read weights .*evil\d.pt': damaged, or not a state dict"
        ) as raised:
            resnet.create(SMALL, weights=path)
        assert "\n" not in str(raised.value)
        assert "can still be loaded" not in str(raised.value)
    assert not trace.exists()


def refused(path):
    """Whether the file is refused in one clear line, rather than read."""
    try:
        resnet.create(SMALL, weights=path)
    except ValueError as error:
        assert re.fullmatch("(cannot read )?weights .*broken.*", str(error))  # noqa: PT017 - some goes unnoticed
        return True
    return False


# Each stumbles over something else in torch's unpickler.
@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"a", b"0", b"J", b"h&", b"c\xc51Z", b"PK\x03\x04", b"\x80\x02.", b"\x00no weights here\n" * 20],
)
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_junk_is_one_line(tmp_path, content, suffix):
    path = (tmp_path / "broken").with_suffix(suffix)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^cannot read weights .*: damaged, or not a state dict of tensors"):
        resnet.create(SMALL, weights=path)


@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors"])
def test_a_damaged_file_is_one_line(network, tmp_path, form):
    path = tmp_path / ("broken.safetensors" if form == "safetensors" else "broken.pt")
    if form == "safetensors":
        save_file(network.state_dict(), path)
    else:
        torch.save(network.state_dict(), path, _use_new_zipfile_serialization=form == "zip")
    whole = path.read_bytes()
    for end in (1, 8, 100, 1000, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:end])
        assert refused(path), f"truncated after {end} bytes"
    rng = random.Random(0)
    outcomes = set()
    for _ in range(60):
        damaged = bytearray(whole)
        damaged[rng.randrange(3000)] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        outcomes.add(refused(path))
    assert True in outcomes


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (torch.zeros(3), r"hold a Tensor, not a state dict; save one with"),
        ({"model": {"conv1.weight": torch.zeros(3)}}, r"hold a dict at 'model', not a tensor; save the state"),
    ],
)
def test_what_is_no_state_dict_says_what_it_is(tmp_path, content, message):
    torch.save(content, tmp_path / "weights.pt")
    with pytest.raises(ValueError, match=message):
        resnet.create(SMALL, weights=tmp_path / "weights.pt")


def test_other_shapes_are_named(network, tmp_path):
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    with pytest.raises(
        ValueError, match=r"do not fit: fc.weight is \(10, 64\), not \(7, 64\); fc.bias is \(10,\), not \(7,\)$"
    ):
        resnet.create(SMALL, num_classes=7, weights=tmp_path / "weights.pt")


def test_other_keys_are_named_and_counted(network, tmp_path):
    state = network.state_dict()
    torch.save({f"module.{key}": tensor for key, tensor in state.items()}, tmp_path / "weights.pt")
    missing = [key for key in state if not key.endswith("num_batches_tracked")]
    more = len(missing) + len(state) - 3
    with pytest.raises(ValueError, match=rf"do not fit: missing conv1.weight; missing .* and {more} more$"):
        resnet.create(SMALL, weights=tmp_path / "weights.pt")


def test_a_deeper_network_misses_nothing_but_has_too_much(tmp_path):
    torch.save(resnet.create("cifar_resnet32").state_dict(), tmp_path / "weights.pt")
    with pytest.raises(ValueError, match=r"do not fit: unexpected layer1\.3\."):
        resnet.create(SMALL, weights=tmp_path / "weights.pt")


def test_no_such_file():
    with pytest.raises(ValueError, match=r"^no weights file 'imagenet'; give the path .*IMAGENET1K_V1"):
        resnet.create("resnet50", weights="imagenet")


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
