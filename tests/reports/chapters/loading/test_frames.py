import pytest

from reports.chapters.loading.frames import loading_rate_frame, loading_stage_frame
from results.storage.reader import load
from tests.loadings import loading, rate
from tests.reports.sources import source_of
from tests.trainings import write_trainings


@pytest.fixture
def source(tmp_path, make_run):
    slices = loading(data="digits", rates=(rate(workers=0, per_s=450), rate(workers=0, per_s=9000, path="slices")))
    write_trainings(tmp_path, make_run(run_id="loading", plan=(), suite="loader"), [loading(), slices])
    return source_of(load(tmp_path))


def test_stages_have_their_time_or_a_reason(source):
    frame = loading_stage_frame(source)
    photos = frame[frame["data"].eq("photos")].set_index("stage")
    assert photos["image_s"]["decode"] == pytest.approx(3e-3)
    assert photos["image_s"].isna()["transfer"]
    assert "nothing is transferred" in photos["reason"]["transfer"]
    assert photos["share"].sum() == pytest.approx(1)


def test_paths_have_their_rate_and_the_need_of_the_network(source):
    frame = loading_rate_frame(source)
    photos = frame[frame["data"].eq("photos")]
    assert photos["path"].tolist() == ["0 workers", "2 workers"]
    assert photos["network_per_s"].tolist() == [pytest.approx(2400)] * 2
    assert photos["feeds"].tolist() == [False, True]
    assert frame[frame["data"].eq("digits")]["path"].tolist() == ["0 workers", "slices"]
