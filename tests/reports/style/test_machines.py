import math

import pytest

from reports.style.machines import grouped
from reports.style.theme import MACHINES
from tests.reports.sources import case_frame


def machines(count, **axes):
    """A case of each machine, the last machine the fastest."""
    return case_frame(*({"machine": f"m{index}", "latency_s": 1 / (1 + index), **axes} for index in range(count)))


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (6, [6]), (7, [4, 3]), (9, [5, 4]), (13, [5, 5, 3])])
def test_groups_are_of_neighbours_in_speed_and_no_larger_than_the_styles(count, sizes):
    styles = grouped(machines(count))
    assert len(styles) == len(set(styles.values())) == count
    assert [sum(group == index for group, _ in styles.values()) for index in range(len(sizes))] == sizes
    assert max(hue for _, hue in styles.values()) < len(MACHINES)
    assert sorted(styles, key=styles.get) == [f"m{index}" for index in reversed(range(count))]


def test_a_machine_without_inference_comes_last_and_one_without_a_result_still_has_a_style():
    frame = case_frame(
        {"machine": "failed", "status": "crash", "throughput_img_per_s": math.nan},
        {"machine": "trains", "task": "training", "latency_s": 1e-6},
        {"machine": "infers"},
    )
    assert grouped(frame) == {"infers": (0, 0), "trains": (0, 1), "failed": (0, 2)}


def test_no_case_has_no_machine():
    assert grouped(machines(1).iloc[:0]) == {}


def test_no_two_machines_of_a_chart_look_alike():
    for look in ("color", "dash", "symbol"):
        assert len({getattr(style, look) for style in MACHINES}) == len(MACHINES)
