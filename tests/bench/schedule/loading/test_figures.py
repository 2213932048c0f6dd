import pytest

from bench.process.loading import BatchesTimed, StagesTimed, TimeBatches
from bench.schedule.loading import figures
from bench.schedule.loading.figures import REPETITIONS, LoadingFigures
from bench.schedule.loading.request import LoadingRequest
from bench.schedule.progress import ignore
from tests.bench.schedule.loading.test_request import opened


class Loader:
    """Answers with rates that depend on the number of workers, and notes what was asked."""

    def __init__(self, image_s):
        self.image_s, self.asked = image_s, []

    def answer(self, request, timeout_s):
        if not isinstance(request, TimeBatches):
            self.asked.append("stages")
            return StagesTimed(image_s={"read": 1e-4, "decode": 2e-3})
        self.asked.append((request.path, request.workers))
        return BatchesTimed(first_batch_s=0.5, image_s=self.image_s[request.workers])


class Network:
    def __init__(self, asked):
        self.asked = asked

    def measure(self):
        self.asked.append("network")


@pytest.fixture
def measured(monkeypatch):
    def measure(image_s, *, workers=None, cores=16, paths=("DataLoader",), show=ignore):
        monkeypatch.setattr(figures, "usable_cores", lambda: cores)
        loader = Loader(image_s)
        request = LoadingRequest(data="x", workers=workers)
        subject = LoadingFigures(loader, Network(loader.asked), opened(paths=paths), request)
        subject.measure(show)
        return subject, loader.asked

    return measure


FASTER = {0: 8e-3, 1: 8e-3, 2: 4e-3, 4: 2e-3, 8: 1e-3, 16: 5e-4}
PEAKED = {0: 8e-3, 1: 8e-3, 2: 4e-3, 4: 3e-3, 8: 4e-3, 16: 9e-3}


def test_all_counts_are_measured_while_more_are_faster(measured):
    subject, _ = measured(FASTER)
    assert [rate.workers for rate in subject.rates()] == [0, 1, 2, 4, 8, 16]
    assert subject.left_out == ()
    assert all(len(rate.image_s) == len(rate.first_batch_s) == REPETITIONS for rate in subject.rates())


def test_more_workers_are_left_out_once_more_were_slower(measured):
    subject, asked = measured(PEAKED)
    assert [rate.workers for rate in subject.rates()] == [0, 1, 2, 4, 8]
    assert subject.left_out == (16,)
    assert ("DataLoader", 16) not in asked


def test_a_first_worker_that_is_slower_than_none_ends_nothing(measured):
    subject, _ = measured({0: 4e-3, 1: 8e-3, 2: 3e-3}, cores=2)
    assert [rate.workers for rate in subject.rates()] == [0, 1, 2]


def test_counts_that_somebody_names_are_all_measured(measured):
    subject, _ = measured(PEAKED, workers=(16, 4, 8, 4))
    assert [rate.workers for rate in subject.rates()] == [4, 8, 16]
    assert subject.left_out == ()


def test_each_repetition_measures_every_figure_once_in_another_order(measured):
    _, asked = measured(FASTER, workers=(0, 2), paths=("DataLoader", "slices"))
    figures_of_each = [tuple(asked[start : start + 5]) for start in range(0, len(asked), 5)]
    assert len(figures_of_each) == REPETITIONS
    assert {frozenset(each) for each in figures_of_each} == {frozenset(figures_of_each[0])}
    assert len({each[0] for each in figures_of_each}) == REPETITIONS


def test_stages_that_there_are_not_have_no_times(measured):
    subject, _ = measured(FASTER, workers=(0,))
    times = {stage.name: stage.image_s for stage in subject.stages()}
    assert times["decode"] == (2e-3,) * REPETITIONS
    assert times["transfer"] is None


def test_progress_ends_with_the_last_figure(measured):
    shown = []
    measured(PEAKED, show=shown.append)
    assert shown[0].done == 0
    assert shown[0].seconds_left is None
    assert (shown[-1].done + 1, shown[-1].total) == (shown[-1].total, 7 * REPETITIONS)
