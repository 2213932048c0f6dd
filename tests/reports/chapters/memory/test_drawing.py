import pytest

from reports.chapters.memory.drawing import of_parts, of_step, part_bars, step_lines
from reports.chapters.memory.frames import part_frame, point_frame
from tests.profiles import memory, parts


@pytest.fixture
def source(profiled):
    return profiled(memory())


def test_the_bars_of_a_case_are_its_peak_and_a_mark_is_the_measured_peak(source):
    *bars, mark = part_bars(part_frame(source)).data
    assert sum(sum(bar.x) for bar in bars) == pytest.approx(parts().total / 1e6)
    assert list(mark.x) == [pytest.approx(int(1.02 * parts().total) / 1e6)]


def test_the_sentence_says_how_much_where_and_how_well_predicted(source):
    said = of_parts(part_frame(source))
    assert "peaks at 198 MB in layer2.0.conv1 backward" in said.replace("\N{NO-BREAK SPACE}", " ")
    assert "by 2.0% at most" in said


def test_a_step_has_both_lines_and_their_peaks(source):
    frame = point_frame(source)
    assert [line.name for line in step_lines(frame).data] == ["predicted", "measured"]
    assert of_step(frame).count("in the backward pass") == 2
