import pytest

from tests.selftest.recorded import Setting, grids
from tests.selftest.replays import exhaustive_s, replay, replays


@pytest.fixture
def settings(make_case):
    steps = {"eager": 0.08, "onnxruntime": 0.05, "openvino": 0.03, "compile": 0.06}
    return [
        Setting(case=make_case(runtime=name), cold_s=20.0 if name == "compile" else 1.0, warm_s=1.0,
                processes=tuple(tuple(step_s * (1 + 0.01 * (turn % 3)) for turn in range(12)) for _ in range(3)))
        for name, step_s in steps.items()
    ]  # fmt: skip


def test_a_replay_finds_the_fastest_in_less_time_than_measuring_all(settings):
    case, took_s = replay(settings, 0)
    assert case.runtime == "openvino"
    assert took_s < exhaustive_s(settings)
    assert replay(settings, 0) == (case, took_s)


def test_the_recorded_grids_have_the_settings_that_are_promised():
    known = grids()
    assert len(known) >= 3
    assert all(len(own) >= 24 for own in known.values())


def test_quick_rows_are_kept():
    rows = list(replays(quick=True))
    assert len(rows) == 4 * len(grids())
    choices = [row for row in rows if "a choice within" in row.what]
    assert len(choices) == len(rows) / 2
    assert {row.kept for row in choices} <= {True, None}
