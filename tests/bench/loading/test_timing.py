import itertools

import pytest

from bench.loading.timing import AHEAD, Stage, time_batches, time_stages


class Clock:
    """A clock that only moves when something takes time."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def takes(self, seconds, result=None):
        self.now += seconds
        return result


class Staged:
    """Two stages of an image and one of a batch, whose seconds are known."""

    def __init__(self, clock, first_s=0.0):
        self.clock = clock
        self.loaded = []
        self.image = (Stage("read", self.read), Stage("decode", lambda value: clock.takes(0.03, value)))
        self.batch = (Stage("collate", lambda images: clock.takes(0.2, images)),)
        self.first_s = first_s

    def read(self, index):
        self.loaded.append(index)
        return self.clock.takes(0.01 + (self.first_s if len(self.loaded) == 1 else 0.0), index)


def endless(*batches):
    return itertools.cycle(batches)


def test_each_stage_gets_its_own_seconds_of_an_image():
    clock = Clock()
    image_s = time_stages(Staged(clock), endless([0, 1, 2, 3]), seconds=1.0, clock=clock)
    assert image_s == pytest.approx({"read": 0.01, "decode": 0.03, "collate": 0.05})


def test_the_first_batch_of_the_stages_is_not_timed():
    clock = Clock()
    staged = Staged(clock, first_s=50.0)
    image_s = time_stages(staged, endless([0], [1], [2]), seconds=0.1, clock=clock)
    assert image_s["read"] == pytest.approx(0.01)
    assert staged.loaded[:2] == [0, 1]


def test_stages_are_timed_for_whole_batches_until_the_seconds_are_over():
    clock = Clock()
    staged = Staged(clock)
    time_stages(staged, endless([7, 8]), seconds=0.5, clock=clock)  # a batch takes 0.28 s
    assert staged.loaded == [7, 8] * 3


def rounds(clock, *, start_s, workers, batch_s, images=8):
    """Batches of workers that load in turns: a round comes at once, after each worker has loaded its batch."""

    def begin():
        clock.takes(start_s)
        while True:
            clock.takes(batch_s)
            for _ in range(max(1, workers)):
                yield images

    return begin


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_the_steady_rate_counts_whole_rounds_and_no_start(workers):
    clock = Clock()
    timed = time_batches(
        rounds(clock, start_s=9.0, workers=workers, batch_s=0.4), workers=workers, seconds=1.0, clock=clock
    )
    assert timed.first_batch_s == pytest.approx(9.4)
    assert timed.image_s == pytest.approx(0.4 / (8 * max(1, workers)))


def test_batches_that_were_loaded_ahead_do_not_count():
    clock = Clock()

    def begin():
        for number in itertools.count():
            clock.takes(0.5 if number > 2 * AHEAD else 0.0)  # those ahead come at once
            yield 4

    timed = time_batches(begin, workers=2, seconds=2.0, clock=clock)
    assert timed.image_s == pytest.approx(0.5 / 4)


def test_a_batch_is_timed_however_few_the_seconds():
    clock = Clock()
    timed = time_batches(rounds(clock, start_s=0, workers=0, batch_s=5.0), workers=0, seconds=0.01, clock=clock)
    assert timed.image_s == pytest.approx(5.0 / 8)
