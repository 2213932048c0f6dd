import pytest

from reports.chapters.fastest.frames import candidate_frame
from tests.reports.sources import source_of
from tests.searches import write_search


@pytest.fixture
def frame(tmp_path):
    return candidate_frame(source_of(write_search(tmp_path)))


def test_the_fastest_is_first_and_what_was_not_timed_last(frame):
    assert frame["fate"].tolist() == ["winner", "slower", "slower", "slower", "cannot-win"]
    assert frame["candidate"].iloc[0] == "amp-bf16 openvino nchw"
    assert frame["throughput_img_per_s"].iloc[0] == pytest.approx(50, rel=0.05)
    assert frame["image_s"].isna().tolist() == [False] * 4 + [True]
