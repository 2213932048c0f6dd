import pytest

from reports.chapters.profile.frames import MOST_PROFILES, inside, kind_frame, module_frame, profiles_of, stage_times
from tests.conftest import _case
from tests.profiles import peaks, profile

FAILED = {"status": "error", "cause": "it broke", "operators": (), "profiled_s": None}


def test_each_profile_that_succeeded_has_rows(profiled):
    source = profiled(peaks(), profile(), profile(task="training"), profile(case=_case(model="resnet34"), **FAILED))
    assert [made.label.split("/")[1] for _, made in profiles_of(source)] == ["inference", "training"]
    frame = kind_frame(source)
    for _, rows in frame.groupby("case"):
        assert rows["share"].sum() == pytest.approx(1)
    assert set(frame["phase"]) == {"forward", "backward", "optimizer", "other"}


def test_stages_include_what_is_outside(profiled):
    frame = inside(stage_times(profiled(profile(task="training"))))
    assert {"conv1", "layer1", "layer2", "(outside)"} <= set(frame["stage"])
    assert frame["share"].sum() == pytest.approx(1)


def test_modules_without_time_are_left_out(profiled):
    frame = module_frame(profiled(profile()))
    assert (frame["total_s"] > 0).all()
    assert {"layer1", "layer1.0", "layer1.0.conv1"} <= set(frame["module"])


def test_of_many_profiles_the_first_are_shown(profiled):
    many = [profile(case=_case(model="resnet18", batch_size=size)) for size in range(1, MOST_PROFILES + 3)]
    assert len(set(kind_frame(profiled(*many))["case"])) == MOST_PROFILES


def test_a_trace_that_was_made_elsewhere_has_classes_and_no_modules(profiled):
    source = profiled(profile(label="somebody's trace", step_s=(), modules=(), works=(), case=_case(model="resnet18")))
    assert set(kind_frame(source)["case"]) == {"somebody's trace"}
    assert module_frame(source).empty


def test_without_profiles_frames_are_empty(profiled):
    source = profiled(peaks())
    assert all(make(source).empty for make in (kind_frame, stage_times, module_frame))
