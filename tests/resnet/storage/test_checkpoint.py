import re

import pytest
import torch

import resnet
from resnet.storage import checkpoint
from resnet.storage.checkpoint import find

CONFIG = resnet.ResNetConfig(
    block="basic", depths=(1, 1), widths=(4, 8), stem="cifar", stem_width=4, num_classes=3, shortcut="projection"
)


@pytest.fixture(scope="module")
def state():
    torch.manual_seed(0)
    return dict(resnet.create(CONFIG).state_dict())


def prefixed(prefix, state):
    return {f"{prefix}{key}": tensor for key, tensor in state.items()}


def search(content):
    return find(content, source="file.pt", features=CONFIG.num_features)


def equal(network, state):
    return network.tensors.keys() == state.keys() and all(
        torch.equal(tensor, state[key]) for key, tensor in network.tensors.items()
    )


@pytest.mark.parametrize("key", ["state_dict", "model", "model_ema", "state_dict_ema", "model_state_dict", "net"])
def test_weights_are_where_a_checkpoint_has_them(state, key):
    content = {"epoch": 3, key: state, "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{}]}}
    network, notes = search(content)
    assert equal(network, state)
    assert (network.keys, network.location, notes) == ((key,), f"{key!r}", [])


def test_they_can_be_deeper_and_in_lists(state):
    assert search([3, {"a": {"b": state}}])[0].keys == ("1", "a", "b")


@pytest.mark.parametrize(
    "prefix",
    [
        "module.",
        "_orig_mod.",
        "model.",
        "backbone.",
        "module._orig_mod.",
        "_orig_mod.module.",
        "model.module.",
        "model._orig_mod.backbone.",
        "net.encoder.",
    ],
)
def test_a_prefix_is_taken_off_whatever_it_is(state, prefix):
    network, notes = search(prefixed(prefix, state))
    assert equal(network, state)
    assert (network.prefix, network.location, notes) == (prefix, f"prefix {prefix!r}", [])


def test_wrappers_of_layers_are_taken_off(state):
    wrapped = {
        key.replace("layer1.0.", "layer1._orig_mod.0._fsdp_wrapped_module."): value for key, value in state.items()
    }
    assert equal(search(prefixed("model.", wrapped))[0], state)


@pytest.mark.parametrize("name", ["fc", "linear", "classifier", "head", "head.fc"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_classifier_of_another_name_is_ours(state, name, prefix):
    network, _ = search(prefixed(prefix, {re.sub("^fc", name, key): value for key, value in state.items()}))
    assert equal(network, state)
    assert network.classifier == name.rpartition(".")[2]


def test_a_classifier_beside_the_backbone_is_brought_in(state):
    content = {
        (f"head.{key}" if key.startswith("fc.") else f"backbone.{key}"): value for key, value in state.items()
    } | {"neck.linear.weight": torch.zeros(2, 2)}
    network, notes = search(content)
    assert equal(network, state)
    assert notes == ["leaves out what is not part of the network: neck.linear.weight"]


def test_two_classifiers_are_not_chosen_from(state):
    content = state | {"head.weight": state["fc.weight"]}
    assert "head.weight" in search(content)[0].tensors


def test_shortcuts_of_another_name_are_ours(state):
    assert any("downsample" in key for key in state)
    assert equal(search({key.replace("downsample", "shortcut"): value for key, value in state.items()})[0], state)


@pytest.mark.parametrize("name", ["n_averaged", "module.total_ops", "module.layer1.0.conv1.total_params"])
def test_counters_of_tools_are_no_weights(state, name):
    network, notes = search(prefixed("module.", state) | {name: torch.tensor(3)})
    assert equal(network, state)
    assert notes == []


def test_what_is_outside_the_network_is_left_out_with_a_note(state):
    content = prefixed("model.", state) | {"criterion.weight": torch.ones(3)}
    network, notes = search(content)
    assert equal(network, state)
    assert notes == ["leaves out what is not part of the network: criterion.weight"]
    # ... but not what is within it.
    assert "last.weight" in search(prefixed("model.", state | {"last.weight": torch.ones(3)}))[0].tensors


def test_averaged_weights_come_first_with_a_note(state):
    averaged = {key: tensor + 1 for key, tensor in state.items()}
    network, notes = search(
        {"model": state, "model_ema": {"n_averaged": torch.tensor(1), **prefixed("module.", averaged)}}
    )
    assert equal(network, averaged)
    assert notes == ["takes the network at 'model_ema', prefix 'module.'; there is another at 'model'"]


def test_the_model_comes_before_other_networks_of_a_state_dict(state):
    other = {key: tensor + 1 for key, tensor in state.items()}
    network, notes = search({"state_dict": prefixed("teacher.", other) | prefixed("model.", state)})
    assert equal(network, state)
    assert notes == [
        "takes the network at 'state_dict', prefix 'model.'; there is another at 'state_dict', prefix 'teacher.'"
    ]


@pytest.mark.parametrize("nested", [True, False])
def test_networks_of_equal_rank_are_an_error(state, nested):
    other = {key: tensor + 1 for key, tensor in state.items()}
    content = {"student": state, "teacher": other} if nested else prefixed("s.", state) | prefixed("t.", other)
    names = "'student'; 'teacher'" if nested else r"prefix 's\.'; prefix 't\.'"
    with pytest.raises(
        ValueError, match=rf"^weights 'file.pt' hold 2 networks \({names}\); save the state dict of one$"
    ):
        search(content)


def test_a_compiled_twin_with_the_same_tensors_is_the_same_network(state):
    assert equal(search(prefixed("model.", state) | prefixed("model._orig_mod.", state))[0], state)
    other = {key: tensor + 1 for key, tensor in state.items()}
    with pytest.raises(ValueError, match="hold 2 networks"):
        search(prefixed("model.", state) | prefixed("model._orig_mod.", other))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (torch.zeros(3), r"a tensor \(3,\), not a state dict; save one with torch.save"),
        ([1, 2], "a list, not a state dict"),
        ({}, "an empty dict, not a state dict"),
        (None, "a NoneType, not a state dict"),
        (
            {"epoch": 3, "model": {"features.0.weight": torch.zeros(2), "b": 1, "c": "2", "d": 3}},
            (
                r"no ResNet .* 'layer1\.0\.conv1\.weight', but at 'model': 'features\.0\.weight' \(a tensor \(2,\)\); "
                r"'b' \(an int\); 'c' \(a str\) and 1 more$"
            ),
        ),
    ],
)
def test_what_is_no_network_says_what_it_is_and_where(content, words):
    with pytest.raises(ValueError, match=rf"^weights 'file.pt' hold {words}"):
        search(content)


@pytest.mark.parametrize("key", ["model", None])
def test_a_network_as_a_whole_is_refused_by_its_class(key):
    whole = checkpoint.Inert("models.Net")
    whole.state = {"_modules": {}, "_parameters": {}}
    at = " at 'model'" if key else ""
    with pytest.raises(ValueError, match=rf"hold a whole network{at} \(models\.Net\), .* never run; save its weights"):
        search({key: whole} if key else whole)


def test_a_list_is_cut_after_three():
    assert checkpoint.listed(["a", "b", "c"]) == "a; b; c"
    assert checkpoint.listed(["a", "b", "c", "d", "e"]) == "a; b; c and 2 more"
