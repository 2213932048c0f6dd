import pytest

from reports.chapters.fastest.drawing import candidate_bars, of_candidates
from reports.chapters.fastest.frames import candidate_frame
from tests.reports.sources import source_of
from tests.searches import made_search, write_search


@pytest.fixture
def frame(tmp_path):
    return candidate_frame(source_of(write_search(tmp_path)))


def test_bars_are_of_the_timed_and_the_sentence_names_the_winner(frame):
    figure = candidate_bars(frame)
    assert sum(len(trace.x) for trace in figure.data) == 4
    said = of_candidates(frame)
    assert said.startswith("resnet50 is fastest as amp-bf16 openvino nchw")
    assert "4 of 5 candidates were timed" in said


def test_without_a_winner_the_sentence_says_so(tmp_path):
    frame = candidate_frame(source_of(write_search(tmp_path, made_search(winner=None, reason="none"))))
    assert of_candidates(frame).startswith("No candidate meets")
