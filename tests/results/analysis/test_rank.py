import json

import msgspec
import pytest

import results
from results.analysis.rank import rank
from results.analysis.study import Study
from results.errors import InputError
from results.storage.reader import load
from results.text import REMEDY

SPREAD = (0.99, 1.0, 1.01, 1.005, 0.995, 1.002)
FACTORS = {"resnet18": 0.4, "resnet50": 1.0, "twin": 1.001, "resnet101": 1.9}


@pytest.fixture
def ranked(tmp_path, write_run, make_case, make_record, make_run):
    """The rankings of runs of cases with these factors of time; replicates of different cases vary differently."""

    def make(factors=FACTORS, *, replicates=6, records=(), runs=("run-a",), axes=None, **options):
        paths = []
        for name in runs:
            made = [
                make_record(
                    make_case(model=model, **(axes or {})),
                    replicate=index,
                    latency_s=0.05 * factor * SPREAD[(index * (row + 2) + row) % len(SPREAD)],
                    noise=0.001,
                )
                for row, (model, factor) in enumerate(factors.items())
                for index in range(replicates)
            ]
            made += records
            run = make_run(plan=dict.fromkeys(record.case for record in made), run_id=name)
            paths.append(write_run(tmp_path, made, run=run))
        return rank(load(*paths), **options)

    return make


def models(ranking):
    return [ranked.case.model for ranked in ranking.cases]


def test_cases_are_in_the_order_of_time_with_the_ranks_that_are_shown(ranked):
    (ranking,) = ranked()
    assert models(ranking) == ["resnet18", "resnet50", "twin", "resnet101"]
    assert [case.rank for case in ranking.cases] == [1, 2, 3, 4]
    assert [(case.best, case.worst) for case in ranking.cases] == [(1, 1), (2, 3), (2, 3), (4, 4)]
    assert [case.next_slower for case in ranking.cases] == [True, False, True, None]
    assert ranking.reasons == (f"1 of 6 differences are not shown: it takes {REMEDY}",)


def test_times_are_relative_to_the_reference_and_have_an_interval(ranked):
    (ranking,) = ranked()
    assert ranking.reference.model == "resnet50"
    fast, base, *_ = ranking.cases
    assert fast.relative_low < 0.4 < fast.relative_high
    assert fast.relative == pytest.approx(0.4, rel=0.02)
    assert (base.relative, base.relative_low, base.relative_high) == (1.0, None, None)
    assert fast.throughput_img_per_s == pytest.approx(8 / fast.latency_s)


def test_the_reference_can_be_named(ranked):
    (ranking,) = ranked(reference="resnet101")
    assert ranking.reference.model == "resnet101"
    assert ranking.cases[-1].relative == 1.0
    assert ranking.cases[0].relative == pytest.approx(0.4 / 1.9, rel=0.02)
    with pytest.raises(InputError, match=r"resnet999.*measured: resnet18"):
        ranked(runs=("run-b",), reference="resnet999")


def test_all_pairs_are_there_with_their_verdicts(ranked):
    (ranking,) = ranked()
    assert len(ranking.pairs) == 6
    assert {(pair.faster.split("/")[0], pair.slower.split("/")[0]): pair.verdict for pair in ranking.pairs} == {
        ("resnet18", "resnet50"): "slower",
        ("resnet18", "twin"): "slower",
        ("resnet18", "resnet101"): "slower",
        ("resnet50", "twin"): "inconclusive",
        ("resnet50", "resnet101"): "slower",
        ("twin", "resnet101"): "slower",
    }
    for pair in ranking.pairs:
        assert pair.low < pair.ratio < pair.high
        assert pair.p <= pair.p_holm
    assert json.loads(msgspec.json.encode(ranking))


def test_a_difference_within_the_margin_is_not_shown(ranked):
    factors = {"resnet50": 1.0, "slower": 1.1}
    assert ranked(factors)[0].pairs[0].verdict == "slower"
    assert ranked(factors, runs=("run-b",), margin=0.2)[0].pairs[0].verdict == "inconclusive"


@pytest.mark.parametrize("margin", [-0.1, 1.0, float("nan")])
def test_a_margin_that_is_no_share_is_refused(ranked, margin):
    with pytest.raises(InputError, match="not between 0 and 1"):
        ranked(margin=margin)


def test_a_single_process_shows_no_difference_but_an_order(ranked):
    (ranking,) = ranked(replicates=1)
    assert models(ranking)[0] == "resnet18"
    assert ranking.pairs == ()
    assert all((case.best, case.worst) == (1, 4) for case in ranking.cases)
    assert ranking.reasons == (
        "no difference is shown: a single process says nothing of the next; measure with --replicates 5 or more",
    )


def test_only_cases_that_compute_the_same_are_ranked_together(ranked, make_case, make_record):
    other = [
        make_record(make_case(model="resnet18", batch_size=1), latency_s=0.01, replicate=index) for index in (0, 1)
    ]
    small = make_record(make_case(model="resnet18", precision="amp-bf16"), latency_s=0.01)
    first, second = ranked(records=[*other, small])
    assert len(first.cases) == 5  # another setting is ranked with the others
    assert second.conditions.startswith("inference, batch 1")
    assert second.reasons == ("a single case: there is nothing to rank it against",)
    assert second.reference == other[0].case


def test_cases_that_failed_or_are_wrong_are_not_ranked(ranked, make_case, make_record, make_equality):
    failed = make_record(make_case(model="big"), status="error", cause="no memory")
    wrong = make_record(make_case(model="wrong"), equality=make_equality("wrong"))
    (ranking,) = ranked(records=[failed, wrong])
    assert models(ranking) == ["resnet18", "resnet50", "twin", "resnet101"]
    assert "2 of these cases have no time that counts: `resnet-bench table` says why" in ranking.reasons


def test_replicates_that_a_case_lacks_are_left_out_of_its_pairs(ranked, make_case, make_record):
    late = [make_record(make_case(model="late"), latency_s=0.2 * SPREAD[index], replicate=index) for index in (3, 4, 5)]
    (ranking,) = ranked(records=late)
    assert ranking.cases[-1].case.model == "late"
    assert ranking.cases[-1].replicates == 3


def test_each_run_is_ranked_by_itself(ranked):
    assert [ranking.run for ranking in ranked(runs=("run-a", "run-b"))] == ["run-a", "run-b"]


def test_a_study_and_the_facade_give_the_same(tmp_path, write_run, make_case, make_record):
    made = [
        make_record(make_case(model=name), replicate=index) for name in ("resnet18", "resnet50") for index in (0, 1)
    ]
    records = load(write_run(tmp_path, made))
    assert results.rank(Study(records)) == results.rank(records) == rank(records)


def test_a_run_without_a_time_has_no_ranking(tmp_path, write_run, make_case, make_record):
    failed = make_record(make_case(), status="error", cause="it did")
    assert rank(load(write_run(tmp_path, [failed]))) == ()


def test_an_imported_case_is_not_judged(imported):
    (ranking,) = rank(imported)
    assert ranking.pairs == ()
    assert "unknown threads" in ranking.conditions
