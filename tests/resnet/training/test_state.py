import dataclasses
import errno
import math
import os
import pathlib

import pytest
import torch
from safetensors.torch import save_file

from resnet.model import ResNet
from resnet.training import state
from resnet.training.optimizers import make_optimizer
from tests.resnet.training.conftest import CONFIG, RECIPE

IDENTITY = {"recipe": "a", "seed": 1}

FORMAT = "resnet-bench training 1"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.safetensors"


def write(path, value=1.0, **facts):
    tensors = {"network:weight": torch.full((2, 3), value), "network:bias": torch.zeros(2), "sums": torch.ones(2)}
    state.write_state(path, tensors, {"identity": IDENTITY, **facts})


def test_what_is_written_is_read(path):
    write(path, seconds=0.1)
    saved = state.read_state(path, IDENTITY)
    assert saved.facts["seconds"] == 0.1
    assert sorted(saved.part("network")) == ["bias", "weight"]
    assert saved.part("network")["weight"].tolist() == [[1.0] * 3] * 2
    assert saved.part("best") == {}


def test_a_layout_of_memory_is_no_obstacle(path):
    image = torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last)
    state.write_state(path, {"image": image}, {"identity": {}})
    assert torch.equal(state.read_state(path, {}).tensors["image"], image)


@pytest.mark.parametrize("moment", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(monkeypatch, path, moment):
    write(path)

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    if moment == "write":
        monkeypatch.setattr(pathlib.Path, "open", full)
    else:
        monkeypatch.setattr(*((os, "fsync", full) if moment == "fsync" else (pathlib.Path, "replace", full)))
    with pytest.raises(ValueError, match="No space left on device; the checkpoint from before is intact") as raised:
        write(path, 2.0)
    monkeypatch.undo()
    assert "\n" not in str(raised.value)
    assert state.read_state(path, IDENTITY).part("network")["weight"][0, 0] == 1
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"cannot save checkpoint .* No such file or directory$"):
        write(tmp_path / "none" / "state.safetensors")


def test_damage_and_other_files_are_refused_in_a_line(path, tmp_path):
    with pytest.raises(ValueError, match="No such file"):
        state.read_state(path, IDENTITY)
    write(path)
    content = path.read_bytes()
    for damaged in (content[:-1], content[:100], b"", b"x" * 200):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="damaged"):
            state.read_state(path, IDENTITY)
    save_file({"weight": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match="not the state of a training"):
        state.read_state(path, IDENTITY)


@pytest.mark.parametrize("facts", [None, "{", "[]", "{}", '{"identity": 3}', "[" * 100_000])
def test_damaged_facts_are_refused_in_a_line(path, facts):
    save_file({"a": torch.zeros(1)}, path, {"format": FORMAT} | ({} if facts is None else {"facts": facts}))
    with pytest.raises(ValueError, match=r"its facts are damaged; begin the training again") as raised:
        state.read_state(path, {})
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["recipe", "seed"])
def test_another_training_is_refused(path, name):
    write(path)
    with pytest.raises(ValueError, match=f"its {name} is {IDENTITY[name]}, not other"):
        state.read_state(path, IDENTITY | {name: "other"})


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_an_optimizer_goes_on_to_the_bit(name, layout):
    recipe = dataclasses.replace(RECIPE, optimizer=name, weight_decay=1e-3)
    torch.manual_seed(0)
    networks = [ResNet(CONFIG).to(memory_format=layout) for _ in range(2)]
    first, second = (make_optimizer(network, recipe) for network in networks)
    images = torch.rand(4, 1, 8, 8)

    def step(network, optimizer):
        network(images).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()

    step(networks[0], first)
    networks[1].load_state_dict(networks[0].state_dict())
    stored = {key: value.contiguous().clone() for key, value in state.optimizer_tensors(first).items()}
    state.restore_optimizer(second, stored)
    for _ in range(2):
        step(networks[0], first)
        step(networks[1], second)
    for ours, theirs in zip(*(network.parameters() for network in networks), strict=True):
        assert torch.equal(ours, theirs)


def test_a_position_knows_its_best_epoch():
    position = state.Position(epoch=2, batch=5, step=7, images=9, train_s=1.0)
    assert [position.is_best(value) for value in (3.0, 3.0, 2.0, 4.0)] == [True, False, True, False]
    after = position.next_epoch(4.0)
    assert after == state.Position(epoch=3, step=7, elapsed_s=4.0, best=2.0, worse_epochs=1)


def test_shapes_tell_networks_apart():
    same = [state.shapes_digest(ResNet(CONFIG)) for _ in range(2)]
    assert same[0] == same[1] != state.shapes_digest(torch.nn.Linear(2, 2))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_are_none_are_seen(value):
    numbers = {"count": torch.ones(1, dtype=torch.int64), "weight": torch.ones(3)}
    assert state.all_finite(numbers)
    numbers["weight"][1] = value
    assert not state.all_finite(numbers)


def test_random_numbers_go_on():
    states = state.random_states(torch.device("cpu"))
    numbers = torch.rand(3)
    state.restore_random(states, torch.device("cpu"))
    assert torch.equal(torch.rand(3), numbers)


def test_the_generator_of_apple_s_gpu_is_asked_without_a_device(monkeypatch):
    class Metal:
        state = torch.tensor([7], dtype=torch.uint8)

        def get_rng_state(self):
            return self.state.clone()

        def set_rng_state(self, new_state):
            self.state = new_state

    metal = Metal()
    monkeypatch.setattr(torch, "get_device_module", lambda device: metal)
    states = state.random_states(torch.device("mps"))
    metal.state = None
    state.restore_random(states, torch.device("mps"))
    assert metal.state is states["device random"]


@pytest.mark.parametrize("position", [{"epoch": 1, "nonsense": 2}, [], None, {"epoch": "two"}, {"step": -1}])
def test_a_damaged_position_is_a_line(path, position):
    write(path, position=position)
    with pytest.raises(ValueError, match="damaged, it does not say how far it is") as raised:
        state.read_state(path, IDENTITY).position(path)
    assert "\n" not in str(raised.value)


def test_a_position_is_read_as_it_was(path):
    write(path, position=dataclasses.asdict(state.Position(epoch=2, batch=3, step=11)))
    assert state.read_state(path, IDENTITY).position(path) == state.Position(epoch=2, batch=3, step=11)
