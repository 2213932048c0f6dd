import pytest

from results.analysis.searches.fastest import candidate_rows, fastest, speed_over
from results.analysis.study import Study
from tests.searches import made_cases, made_search, write_search


@pytest.fixture
def study(tmp_path):
    return Study(write_search(tmp_path))


def test_the_winner_has_its_gain_what_gave_it_and_the_runner_up(study):
    won = fastest(study)
    eager, _, ov, half = made_cases()
    assert won.case == half
    assert won.gain.value == pytest.approx(4, rel=0.05)
    assert won.gain.low < won.gain.value < won.gain.high
    assert [(step.axis, step.after) for step in won.steps] == [("runtime", "openvino"), ("precision", "amp-bf16")]
    assert won.steps[0].factor.value * won.steps[1].factor.value == pytest.approx(won.gain.value, rel=0.02)
    assert won.runner_up == ov
    assert won.lead.value == pytest.approx(2, rel=0.05)
    assert won.apart
    assert eager.baseline == eager


def test_the_row_is_that_of_the_table(study):
    assert fastest(study).row["latency_s"] == pytest.approx(0.02, rel=0.05)


def test_a_search_without_a_winner_has_no_answer(tmp_path):
    assert (
        fastest(Study(write_search(tmp_path, made_search(winner=None, reason="no candidate keeps to the latency"))))
        is None
    )


def test_the_rows_are_in_the_order_of_the_search_and_untimed_candidates_have_no_time(study):
    (run,) = study.runs
    rows = candidate_rows(run, made_search())
    assert [row.fate for row in rows] == ["slower", "slower", "slower", "cannot-win", "stayed"]
    assert [row.image_s is None for row in rows] == [False, False, False, True, False]
    assert rows[0].speedup == pytest.approx(1)
    assert rows[3].speedup is None
    assert speed_over(run, made_cases()[0], rows[3].case) is None
