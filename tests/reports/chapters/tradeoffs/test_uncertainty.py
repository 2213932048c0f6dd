import pytest

from reports.chapters.tradeoffs.uncertainty import overlaps, relative_cost, relative_span, within_uncertainty
from reports.style.rows import each
from reports.style.words import first_row
from results.storage import reader
from tests.reports.sources import case_frame, source_of


def case(model, low, high, **fields):
    """A case of this interval of the relative time, whose absolute time is hardly known."""
    return {
        "model": model,
        "relative": (low + high) / 2,
        "relative_low": low,
        "relative_high": high,
        "latency_low_s": 0.01,
        "latency_high_s": 0.09,
        "reference": "resnet50",
        **fields,
    }


FIRST, NEAR, FAR = case("first", 0.98, 1.02), case("near", 1.01, 1.05), case("far", 1.03, 1.05)


def rows_of(*cases):
    return list(each(case_frame(*cases)))


def test_cases_of_a_run_are_compared_by_relative_times():
    first, near, far = rows_of(FIRST, NEAR, FAR)
    assert overlaps(first, near)
    assert overlaps(near, first)
    assert overlaps(near, far)
    assert not overlaps(first, far)


def test_cases_of_different_runs_are_compared_by_the_time_of_an_image():
    first, other = rows_of(FIRST, {**FAR, "run": "other"})
    assert overlaps(first, other)
    times = {"latency_low_s": 0.09, "latency_high_s": 0.11, "run": "other"}
    one, two, three = rows_of({**FIRST, **times, "batch_size": 1}, {**NEAR, **times, "batch_size": 2}, NEAR)
    assert not overlaps(one, three)
    assert overlaps(rows_of({**NEAR, "batch_size": 1, "latency_low_s": 0.04, "latency_high_s": 0.06})[0], two)


def test_a_case_without_an_interval_is_not_judged():
    nothing = {"latency_low_s": float("nan")}
    bare, near = rows_of({**nothing, "model": "bare"}, NEAR)
    assert not overlaps(bare, near)
    assert within_uncertainty(bare, case_frame(nothing, NEAR)) == ""


def test_the_reference_has_an_exact_interval(make_case, make_record, make_run, write_run, tmp_path):
    made = [
        make_record(make_case(model=model), replicate=index, latency_s=latency, noise=0.01)
        for index in range(3)
        for model, latency in (("resnet50", 0.05), ("resnet18", 0.02))
    ]
    run = make_run(plan=dict.fromkeys(record.case for record in made))
    first, second = each(source_of(reader.load(write_run(tmp_path, made, run=run))).cases)
    assert relative_span(first) == (1, 1)
    assert relative_span(second)[0] < second.relative < relative_span(second)[1]
    assert (first.reference, second.reference) == ("resnet50", "resnet50")
    assert relative_cost(first) == ""
    assert relative_cost(second).startswith(" resnet18 costs 0.39")


def test_what_is_within_the_uncertainty_is_named_without_the_choice():
    frame = case_frame(FIRST, NEAR, FAR, {**NEAR, "model": "also", "latency_s": 0.01})
    assert within_uncertainty(first_row(frame), frame) == " Within the uncertainty: also, near."
    many = case_frame(FIRST, *({**NEAR, "model": f"near{index}"} for index in range(8)))
    assert within_uncertainty(first_row(many), many).endswith("near4 and 3 more.")
    assert within_uncertainty(first_row(frame), case_frame(FIRST, FAR)) == ""


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {},
            " near costs 1.03\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}resnet50, ±\N{NO-BREAK SPACE}1.9\N{NO-BREAK SPACE}%.",
        ),
        (
            {"relative_low": 0.2, "relative_high": 3.0},
            " near costs 1\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}resnet50, ±\N{NO-BREAK SPACE}unknown.",
        ),
        ({"reference": None}, ""),
        ({"relative_low": None}, ""),
    ],
)
def test_the_cost_over_the_reference_has_its_interval(fields, said):
    assert relative_cost(rows_of({**NEAR, **fields})[0]) == said
