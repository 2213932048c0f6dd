import pytest

from reports.chapters.memory.frames import PARTS, memories_of, part_frame, point_frame
from tests.conftest import _case
from tests.profiles import memory, parts, peaks


def test_each_part_of_a_peak_is_a_row_with_the_error_of_the_prediction(profiled):
    source = profiled(memory())
    frame = part_frame(source)
    assert list(frame["part"]) == list(PARTS)
    assert frame["bytes"].sum() == parts().total
    assert frame["error"].iloc[0] == pytest.approx(1 / 1.02 - 1)
    assert frame["where"].iloc[0] == "layer2.0.conv1 backward"
    assert [case.case.model for _, case in memories_of(source)] == ["resnet18"]


def test_what_was_not_measured_has_no_error(profiled):
    assert part_frame(profiled(memory(measured_bytes=None)))["error"].isna().all()


def test_moments_are_predicted_and_measured(profiled):
    frame = point_frame(profiled(memory()))
    assert list(dict.fromkeys(frame["source"])) == ["predicted", "measured"]
    assert frame[frame["source"] == "measured"]["bytes"].max() == int(1.02 * parts().total)


def test_an_unpredicted_case_has_no_parts(profiled):
    unknown = memory(case=_case(runtime="compile"))
    bare = type(unknown)(case=unknown.case, predicted=None, started=unknown.started, duration_s=1.0)
    assert part_frame(profiled(bare)).empty
    assert point_frame(profiled(peaks(), run_id="another")).empty
