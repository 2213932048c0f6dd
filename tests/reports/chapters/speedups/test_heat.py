import pytest

from reports.chapters.speedups.heat import best_speedup, failures
from results.storage import reader
from tests.reports.sources import source_of


@pytest.fixture
def make_frame(write_run, tmp_path_factory):
    def make(*records):
        return source_of(reader.load(write_run(tmp_path_factory.mktemp("runs"), records))).cases

    return make


@pytest.fixture
def arm(make_case, make_record):
    """A record in another setting than the baseline's, `speedup` times as fast."""

    def make(speedup, noise=0.01, **fields):
        axes = {name: fields.pop(name) for name in ("precision", "runtime", "layout") if name in fields}
        case = make_case(**axes)
        return make_record(case, latency_s=0.1 / speedup, baseline_latency_s=0.1, noise=noise, **fields)

    return make


def test_the_best_speedup_is_one_that_the_interval_tells_from_none(make_frame, arm):
    frame = make_frame(
        arm(1.3, noise=0.005, layout="nhwc"), arm(1.5, noise=2.0, runtime="compile"), arm(0.5, precision="amp-bf16")
    )
    lucky = frame["runtime"].eq("compile")
    frame.loc[lucky, ["speedup", "speedup_low"]] = [1.5, 0.7]
    said = best_speedup(frame)
    best, slower = said.split("1 of 3 cases", 1)
    assert best.index("fp32 · eager · nhwc") < best.index("fp32 · eager · nchw")
    assert "compile" not in said
    assert "amp-bf16 · eager · nchw" in slower


def test_without_a_speedup_that_is_shown_none_is_claimed(make_frame, arm):
    frame = make_frame(arm(1.2, turns=3, warmup=0, layout="nhwc"))
    assert frame["speedup"].iloc[0] > 1
    said = best_speedup(frame)
    assert said.startswith("Nothing ")
    assert "1 case" in said
    assert "instead of" not in said


def test_a_case_that_failed_in_part_is_no_best_speedup(make_frame, arm):
    frame = make_frame(arm(1.3, layout="nhwc"), arm(2, runtime="compile"))
    frame.loc[frame["runtime"].eq("compile"), "status"] = "crash"
    assert "eager · nhwc instead" in best_speedup(frame)


def test_speedups_of_unchecked_results_are_counted(make_frame, arm, make_equality):
    checked = {"equality": make_equality("equal")}
    arms = arm(1.3, layout="nhwc", **checked), arm(1.5, precision="amp-bf16", **checked)
    assert "checked" not in best_speedup(make_frame(*arms))
    said = best_speedup(make_frame(*arms, arm(2, precision="bf16")))
    assert said.endswith(" The results of 1 of these 3 were not checked.")
    assert best_speedup(make_frame(arm(2, precision="bf16"))).endswith(" Its result was not checked.")


def test_a_wrong_result_is_no_best_speedup_and_no_success(make_frame, arm, make_equality):
    wrong = make_equality("wrong")
    frame = make_frame(arm(1.3, layout="nhwc"), arm(9, runtime="compile", equality=wrong))
    assert "fp32 · eager · nhwc instead" in best_speedup(frame)
    said = failures(frame)
    assert said.startswith("1 of 2 cases ")
    assert "1 wrong result (resnet50)" in said
    assert best_speedup(make_frame(arm(9, runtime="compile", equality=wrong))) is None
