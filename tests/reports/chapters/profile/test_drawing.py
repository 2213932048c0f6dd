import pytest

from reports.chapters.profile.drawing import kind_bars, of_kinds, of_stage_times, stage_bars
from reports.chapters.profile.frames import kind_frame, stage_times
from tests.conftest import _case
from tests.profiles import profile


def test_the_bars_of_a_case_add_up_to_its_step(profiled):
    frame = kind_frame(profiled(profile(task="training")))
    figure = kind_bars(frame)
    assert sum(sum(bar.x) for bar in figure.data) == pytest.approx(1e3 * frame["step_s"].iloc[0])
    assert figure.data[0].name == "convolution"
    assert tuple(figure.layout.yaxis.categoryarray) == ("other", "optimizer", "backward", "forward")


def test_the_bars_of_several_cases_carry_their_names(profiled):
    frame = stage_times(profiled(profile(), profile(task="training")))
    names = {name for bar in stage_bars(frame).data for name in bar.y}
    assert any("training" in name and name.endswith("backward") for name in names)


def test_the_sentences_name_the_largest_parts_and_the_profiler_s_cost(profiled):
    source = profiled(profile(task="training"))
    assert "convolution 7" in of_kinds(kind_frame(source))
    assert "profiled, a step took 1.04 times as long" in of_kinds(kind_frame(source))
    assert of_stage_times(stage_times(source)).startswith("layer1 takes ")


def test_a_hostile_label_is_escaped(profiled):
    frame = kind_frame(profiled(profile(case=_case(model="<img src=x>")), profile()))
    figure = kind_bars(frame)
    assert not any("<img" in name for bar in figure.data for name in bar.y)
