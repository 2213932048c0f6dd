import pytest

from reports.chapters.profile.frames import module_frame
from reports.chapters.profile.icicle import icicle, of_modules
from tests.profiles import profile


@pytest.fixture
def boxes(profiled):
    (trace,) = icicle(module_frame(profiled(profile(task="training")))).data
    return {name: (parent, value) for name, parent, value in zip(trace.ids, trace.parents, trace.values, strict=True)}


def test_every_box_lies_in_its_parent_and_the_phases_in_the_step(boxes):
    assert boxes["step"][0] == ""
    assert boxes["forward"][0] == boxes["backward"][0] == "step"
    assert boxes["backward/layer1.0.conv1"][0] == "backward/layer1.0"
    assert all(parent in boxes for name, (parent, _) in boxes.items() if name != "step")


def test_boxes_add_up(boxes):
    for name, (_, value) in boxes.items():
        children = [size for parent, size in boxes.values() if parent == name]
        assert sum(children) <= value * (1 + 1e-9)
    assert boxes["step"][1] == pytest.approx(boxes["forward"][1] + boxes["backward"][1])


def test_the_sentence_names_the_slowest_layers(profiled):
    said = of_modules(module_frame(profiled(profile(task="training"))))
    assert said.index("layer1.0.conv1 backward") < said.index("layer2.0.conv1 backward")
