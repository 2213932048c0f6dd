import pytest

from reports.chapters.loading.drawing import loading_rate_bars, loading_stage_bars, of_loading_rates, of_loading_stages
from reports.chapters.loading.frames import loading_rate_frame, loading_stage_frame
from results.storage.reader import load
from tests.loadings import loading, rate
from tests.reports.sources import source_of
from tests.trainings import write_trainings


@pytest.fixture
def frames(tmp_path, make_run):
    def frames(made):
        write_trainings(tmp_path, make_run(run_id="loading", plan=(), suite="loader"), [made])
        source = source_of(load(tmp_path))
        return loading_stage_frame(source), loading_rate_frame(source)

    return frames


def test_the_longest_stage_and_the_waiting_are_named(frames):
    stages, rates = frames(loading())
    assert of_loading_stages(stages) == "Of photos, decode takes most: 3.00\N{NO-BREAK SPACE}ms an image, 71%."
    assert of_loading_rates(rates).endswith("it waits 62% of the time.")
    assert len(loading_stage_bars(stages).data[0].x) == 5
    assert len(loading_rate_bars(rates).layout.shapes) == 1


def test_a_fast_loader_keeps_the_network_busy(frames):
    _, rates = frames(loading(rates=(rate(workers=0, per_s=450), rate(workers=2, per_s=9000))))
    assert of_loading_rates(rates).endswith("it never waits.")


def test_without_the_need_of_the_network_the_sentence_says_so(frames):
    _, rates = frames(loading(network_per_s=2400, network_image_s=None))
    assert of_loading_rates(rates).endswith("takes is not known.")
    assert loading_rate_bars(rates).layout.shapes == ()


def test_images_in_memory_have_no_stages(frames):
    stages, _ = frames(
        loading(stages=(), rates=(rate(workers=0, per_s=450), rate(workers=0, per_s=9000, path="slices")))
    )
    assert stages.empty
