import pytest
from msgspec import structs

from results.analysis.sides import Side, by_case, throttled
from results.metrics.measured import MeasuredRun
from results.schema.lines.record import Noise, Summary
from results.storage.reader import load


@pytest.fixture
def sides(tmp_path, write_run):
    """The sides of a run of the given records, by case."""
    return lambda *records: by_case(map(MeasuredRun, load(write_run(tmp_path, records)).files), "NEW")


def test_a_replicate_that_was_measured_again_counts_as_it_was_last(sides, make_record, make_case):
    side = sides(make_record(latency_s=0.05), make_record(latency_s=0.07))[make_case()]
    assert len(side.records) == len(side.warnings) == 1
    assert side.latencies == [pytest.approx(0.07, rel=0.02)]


def test_failures_have_no_latency(sides, make_record, make_case):
    side = sides(make_record(), make_record(replicate=1, status="crash", cause="signal 11"))[make_case()]
    assert len(side.records) == 2
    assert len(side.latencies) == 1


def test_a_wrong_result_is_not_a_doubt_about_the_time(sides, make_record, make_case, make_equality):
    side = sides(make_record(equality=make_equality("wrong")))[make_case()]
    assert side.wrong().kind == "wrong"
    assert side.doubt() is None


def test_a_source_that_says_wrong_and_not_why_is_heeded(sides, make_record, make_case):
    values = {"latency_s": 0.1, "throughput_img_per_s": 10.0}
    record = make_record(samples=None, summary=Summary(metrics=values, equality="wrong"))
    assert sides(record)[make_case()].wrong().kind == "wrong"


def test_noise_is_no_doubt(sides, make_record, make_case):
    assert sides(make_record(signs=Noise(other_cpus=1.0)))[make_case()].doubt() is None


@pytest.mark.parametrize(("mine", "others", "explains"), [(0.5, 0.1, True), (0.5, 0.45, False), (0.1, 0.5, False)])
def test_a_longer_time_at_the_power_limit_may_explain_a_slower_side(make_record, mine, others, explains):
    def side(name, share):
        signs = [Noise(accelerator_held={"power": share})] * 3 + [None]
        return Side(name, [make_record(replicate=index, signs=one) for index, one in enumerate(signs)], [], [])

    said = throttled(side("NEW", mine), side("BASE", others))
    assert said == (
        "throttled: the power limit held the clocks down for 50% of the time in NEW, 10% in BASE" if explains else None
    )
    assert Side("NEW", [make_record()], [], []).capped() == 0.0


def test_a_broken_label_is_a_doubt(sides, make_record, make_case):
    record = make_record()
    broken = structs.replace(record, ran=structs.replace(record.ran, threads=7))
    assert sides(broken)[make_case()].doubt().kind == "label"


@pytest.mark.parametrize(("noisy", "disturbed"), [(0, False), (1, False), (2, True), (3, True)])
def test_a_side_is_disturbed_where_most_of_its_processes_are(sides, make_record, make_case, noisy, disturbed):
    records = [make_record(replicate=index, signs=Noise(steal=1.0) if index < noisy else None) for index in range(3)]
    said = sides(*records)[make_case()].disturbed()
    assert (said is not None) == disturbed
    if disturbed:
        assert said.startswith("steal in NEW")
