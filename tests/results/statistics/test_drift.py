import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.statistics import drift
from results.statistics.drift import Turns, fit
from tests.results.statistics.fields import field, joined

SEEDS = st.integers(0, 2**32 - 1)
CASES = st.integers(2, 8)
ROUNDS = st.integers(1, 30)


def swing(at):
    """A machine whose speed swings by a fifth."""
    return 0.2 * math.sin(at / 20)


def centred(levels):
    return levels - levels.mean()


@pytest.mark.parametrize(("cases", "rounds"), [(2, 12), (2, 60), (11, 20), (20, 8), (3, 150)])
def test_levels_come_back_from_under_drift_and_spikes(cases, rounds):
    rng = np.random.default_rng(cases)
    truth = rng.normal(0, 1, cases)
    turns = field(rng, truth, rounds, drift=lambda at: swing(4 * at / cases), spikes=0.02)
    found = fit(turns)
    assert centred(found.level) == pytest.approx(centred(truth), abs=5 * 0.0125 / math.sqrt(rounds))
    rest = turns.log - found.level[turns.series] - found.drift
    assert 1.4826 * np.median(np.abs(rest)) < 0.015


def test_it_is_the_minimum_of_hubers_loss():
    rng = np.random.default_rng(3)
    turns = field(rng, [0.0, 1.0, 2.0], 30, drift=swing, spikes=0.05)
    found = fit(turns)

    def loss(level):
        rest = np.abs(turns.log - level[turns.series] - found.drift)
        reach = 1.5 * scale
        return np.where(rest < reach, rest**2 / 2, reach * (rest - reach / 2)).sum()

    scale = 1.4826 * np.median(np.abs(turns.log - found.level[turns.series] - found.drift))
    for series in range(3):
        for shift in (-1e-3, 1e-3):
            moved = found.level.copy()
            moved[series] += shift
            assert loss(moved) > loss(found.level)


@given(SEEDS, CASES, ROUNDS, st.floats(-3, 3))
def test_a_constant_of_a_case_shifts_its_level_only(seed, cases, rounds, shift):
    rng = np.random.default_rng(seed)
    turns = field(rng, rng.normal(0, 1, cases), rounds, drift=swing)
    moved = turns._replace(log=turns.log + shift * (turns.series == 1))
    change = fit(moved).level - fit(turns).level
    assert change - change[0] == pytest.approx(shift * (np.arange(cases) == 1), abs=1e-3)


@given(SEEDS, CASES, ROUNDS, st.floats(-5, 5))
def test_what_all_turns_share_cancels(seed, cases, rounds, size):
    rng = np.random.default_rng(seed)
    turns = field(rng, rng.normal(0, 1, cases), rounds)
    before = fit(turns).level
    assert centred(fit(turns._replace(log=turns.log + size)).level) == pytest.approx(centred(before), abs=1e-6)
    if rounds >= 4:  # fewer turns have no drift
        slope = size * turns.at / turns.at.max()
        assert centred(fit(turns._replace(log=turns.log + slope)).level) == pytest.approx(centred(before), abs=2e-3)


@given(SEEDS, CASES, ROUNDS)
def test_neither_the_order_nor_the_unit_of_time_matters(seed, cases, rounds):
    rng = np.random.default_rng(seed)
    turns = field(rng, rng.normal(0, 1, cases), rounds, drift=swing)
    found = fit(turns)
    order = rng.permutation(turns.log.size)
    shuffled = fit(turns.chosen(order)._replace(at=60 * turns.at[order] + 7))
    assert shuffled.level == pytest.approx(found.level, abs=1e-6)
    assert shuffled.drift == pytest.approx(found.drift[order], abs=1e-6)


@given(SEEDS, st.integers(2, 6), st.integers(8, 30), st.floats(0.1, 5))
def test_a_spike_moves_no_level_far(seed, cases, rounds, height):
    rng = np.random.default_rng(seed)
    turns = field(rng, np.zeros(cases), rounds)
    spiked = turns.log.copy()
    spiked[rng.integers(spiked.size)] += height
    change = centred(fit(turns._replace(log=spiked)).level) - centred(fit(turns).level)
    assert np.abs(change).max() < 0.02


def test_a_slow_stretch_of_all_is_no_spike_of_a_case():
    rng = np.random.default_rng(5)
    truth = np.array([0.0, 0.5, 1.0])
    turns = field(rng, truth, 40, drift=lambda at: 0.5 * (30 < at < 60))
    assert centred(fit(turns).level) == pytest.approx(centred(truth), abs=0.02)


def test_parts_are_joined_by_the_cases_that_they_share():
    rng = np.random.default_rng(6)
    truth = np.array([0.0, 1.0, -1.0, 0.3, 0.7])
    first = field(rng, truth[[0, 1, 2]], 20, drift=swing)
    second = field(rng, truth[[0, 1, 3, 4]], 20, drift=lambda at: 0.4 + swing(at), part=1, start=1000.0)
    turns = joined(first, second._replace(series=np.array([0, 1, 3, 4])[second.series]))
    assert centred(fit(turns).level) == pytest.approx(centred(truth), abs=0.015)


@given(SEEDS, st.integers(4, 40))
def test_a_field_of_two_is_about_the_median_of_the_ratios(seed, rounds):
    rng = np.random.default_rng(seed)
    own, other = (
        np.cumsum(0.02 * rng.standard_normal(rounds)) + 0.01 * rng.standard_normal((2, rounds)) + [[0.3], [0.0]]
    )
    number = np.arange(rounds)
    zeros = np.zeros(2 * rounds, dtype=np.int64)
    turns = Turns(np.append(own, other), np.tile(number, 2).astype(float), np.repeat([0, 1], rounds), zeros, zeros)
    level = fit(turns).level
    # Two estimates of the same difference, each with a standard error of 1.25 × 0.014 / √rounds at most.
    assert level[0] - level[1] == pytest.approx(np.median(own - other), abs=4 * 0.0177 / math.sqrt(rounds))


def test_many_fields_are_each_alone(monkeypatch):
    rng = np.random.default_rng(7)
    alone = [field(rng, rng.normal(0, 1, 2 + index % 5), 1 + index, drift=swing, spikes=0.03) for index in range(15)]
    starts = np.cumsum([0, *(turns.series.max() + 1 for turns in alone)])
    together = joined(
        *(
            turns._replace(series=turns.series + starts[index], part=turns.part + index, field=turns.field + index)
            for index, turns in enumerate(alone)
        )
    )
    expected = np.concatenate([fit(turns).level for turns in alone])
    assert fit(together).level == pytest.approx(expected, abs=1e-9)
    monkeypatch.setattr(drift, "_AT_ONCE", 100)
    assert fit(together).level == pytest.approx(expected, abs=1e-9)


def test_constants_are_their_own_levels():
    rng = np.random.default_rng(8)
    turns = field(rng, [0.25, 0.5, 2.0], 9, noise=0.0)
    found = fit(turns)
    assert found.level == pytest.approx([0.25, 0.5, 2.0])
    assert found.drift == pytest.approx(np.zeros(27), abs=1e-9)


def test_no_turns_have_no_levels():
    empty = np.empty(0, dtype=np.int64)
    assert [part.size for part in fit(Turns(np.empty(0), np.empty(0), empty, empty, empty))] == [0, 0]
