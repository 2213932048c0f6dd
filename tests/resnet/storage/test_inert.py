import argparse
import collections
import enum
import functools
import io
import os
import pathlib
import pickle
import sys

import numpy as np
import pytest
import torch

from resnet.storage import archives, inert


def read(data):
    return inert.Machine(storage=list).read(io.BytesIO(data))


class Trap:
    """A pickle that leaves a file behind if anything runs it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (pathlib.Path.touch, (self.path,))


class Colour(enum.Enum):
    RED = 1


class Attributes(dict):
    pass


class WithState:
    def __init__(self):
        self.name = "x"

    def __setstate__(self, state):
        raise AssertionError("run")

    class Nested:
        def __init__(self):
            self.a = 1

        def method(self):
            raise AssertionError("run")


class Measured(collections.deque):
    pass


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_of_a_pickle_is_run(tmp_path, protocol):
    trace = tmp_path / "ran"
    data = pickle.dumps({"trap": Trap(trace), "list": [1, "two"], "state": WithState()}, protocol)
    content = read(data)
    assert content["list"] == [1, "two"]
    assert content["trap"].origin.endswith(("Path.touch", ".getattr"))
    assert not trace.exists()
    pickle.loads(pickle.dumps(Trap(trace), protocol))  # noqa: S301
    assert trace.exists(), "the trap works"


# Each opcode that calls something, in pickles written by hand.
@pytest.mark.parametrize(
    "program",
    [
        b"cos\nsystem\n(S'touch {}'\ntR.",
        b"(S'touch {}'\nios\nsystem\n.",
        b"(cos\nsystem\nS'touch {}'\no.",
        b"\x80\x02cos\nsystem\n(U\x01xt\x81.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93(S'touch {}'\ntR.",
        b'\x80\x04\x8c\x08builtins\x8c\x04eval\x93(S\'open("{}", "w")\'\ntR.',
    ],
)
def test_opcodes_that_call_call_nothing(tmp_path, program):
    trace = tmp_path / "ran"
    content = read(program.replace(b"{}", str(trace).encode()))
    assert isinstance(content, inert.Inert)
    assert not trace.exists()


def test_a_state_changes_inert_objects_only():
    """A pickle can give a state to what stands for a name; attributes of torch or of this module must stay."""
    ordered = read(b"ccollections\nOrderedDict\n(tR(dS'evil'\nI1\nsb.")
    assert type(ordered) is collections.OrderedDict
    assert not hasattr(ordered, "evil")
    thing = read(b"capp\nThing\n(dS'evil'\nI1\nsb.")
    assert not hasattr(thing, "evil")
    assert not hasattr(inert.Inert, "evil")


def test_nothing_is_imported():
    assert "antigravity" not in sys.modules
    read(b"cantigravity\nfly\n(tR.")
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize(
    "thing",
    [
        argparse.Namespace(lr=0.1, path=pathlib.Path("x")),
        np.float64(3.0),
        np.arange(3),
        np.random.default_rng(0),
        Colour.RED,
        Attributes(a=1),
        Measured([1, 2]),
        collections.defaultdict(list, {"a": [1]}),
        {1, 2},
        frozenset({1}),
        {Colour.RED: 1, pathlib.PurePath("q"): 2},
        functools.partial(print, 1),
        bytearray(b"x"),
        1j,
        slice(1, 2),
        os.path.join,
        WithState.Nested(),
        WithState.Nested().method,
    ],
    ids=lambda thing: type(thing).__name__,
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_what_stands_beside_weights_is_read_over(thing, protocol):
    content = read(pickle.dumps([thing, "after"], protocol))
    assert content[1] == "after"


def test_items_and_class_of_a_foreign_mapping_are_read():
    content = read(pickle.dumps(Attributes(a=1, b=[2]), 2))
    assert dict(content) == {"a": 1, "b": [2]}
    assert content.origin == f"{__name__}.Attributes"
    assert not content.is_module


def test_a_network_as_a_whole_is_recognized(tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "whole.pt")
    content = archives.read_zip(tmp_path / "whole.pt")
    assert content.is_module
    assert content.origin == "torch.nn.modules.linear.Linear"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_are_what_they_were(protocol):
    shared = [1]
    content = {
        "numbers": [0, 1, 255, 256, 70_000, -1, 2**31, 2**70, 0.5, True, False, None],
        "texts": ["", "a", "é" * 300, "x" * 70_000],
        "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
        "mappings": {"a": {}, (1, 2): {"b": 1}},
        "shared": [shared, shared],
        "ordered": collections.OrderedDict(a=1, b=2),
    }
    again = read(pickle.dumps(content, protocol))
    assert again == content
    assert again["shared"][0] is again["shared"][1]
    assert list(again["ordered"]) == ["a", "b"]


@pytest.mark.parametrize("program", [b"", b"I1\n", b"\x80\x04\x97.", b"R.", b"I1\n)R.", b"."])
def test_a_pickle_that_makes_no_sense_is_an_error(program):
    with pytest.raises((ValueError, IndexError, TypeError)):
        read(program)


def test_a_tensor_beyond_its_storage_is_an_error():
    with pytest.raises(RuntimeError, match="out of bounds"):
        inert.MAKERS["torch._utils._rebuild_tensor_v2"](torch.zeros(4), 2, (4,), (1,))
