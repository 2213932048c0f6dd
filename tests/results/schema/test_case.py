import pickle

import pytest
from msgspec import structs

from results.schema.axes import AXES, BASELINE, SETTINGS
from results.schema.case import Case


def test_the_fields_are_the_axes_in_their_order():
    assert Case.__struct_fields__ == tuple(AXES)


def test_a_case_is_hashed_and_compared_by_its_values(make_case):
    cases = {make_case(): 1, make_case(threads=3): 2}
    assert (cases[make_case()], cases[make_case(threads=3)]) == (1, 2)
    assert make_case(threads=4) not in cases
    assert structs.replace(make_case(), threads=3) in cases


def test_a_case_cannot_be_changed(make_case):
    with pytest.raises(AttributeError):
        make_case().threads = 3


def test_a_case_can_be_pickled(make_case):
    assert pickle.loads(pickle.dumps(make_case())) == make_case()  # noqa: S301 - it is our own


def test_a_key_differs_on_every_axis(make_case):
    values = {"model": "a", "task": "training", "precision": "bf16", "runtime": "compile", "layout": "nhwc"}
    values |= {"batch_size": 3, "image_size": "5x4", "in_channels": 1, "head": "none"}
    values |= {"device": "cuda:1", "threads": None, "grad_checkpointing": "blocks", "optimizer": "adamw:fused"}
    keys = {make_case(**{axis: values[axis]}).key for axis in AXES}
    assert len(keys | {make_case().key}) == len(AXES) + 1
    assert make_case().key == "resnet50/inference/b8/224/cpu/fp32/eager/nchw/t2"
    oblong = make_case(image_size="224x160", in_channels=1)
    assert oblong.key == "resnet50/inference/b8/224x160/c1/cpu/fp32/eager/nchw/t2"
    assert make_case(head="faster-rcnn").key == "resnet50/inference/b8/224/faster-rcnn/cpu/fp32/eager/nchw/t2"
    assert make_case(threads=None).key.endswith("/t?")


def test_the_baseline_differs_in_settings_only(make_case):
    case = make_case(precision="bf16", runtime="compile", layout="nhwc", batch_size=3, device="cuda:1")
    baseline = case.baseline
    assert (case.is_baseline, baseline.is_baseline) == (False, True)
    assert {axis: getattr(baseline, axis) for axis in SETTINGS} == BASELINE
    assert all(getattr(case, axis) == getattr(baseline, axis) for axis in AXES if axis not in SETTINGS)
