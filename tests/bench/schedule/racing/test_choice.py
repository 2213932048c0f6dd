from msgspec import structs

from bench.schedule.racing.choice import binding, chosen, disagrees, finalists, image_s, may_win, told_apart
from results.schema.lines.search import Candidate


def fate(case, word, reason=None):
    return Candidate(case=case, fate=word, reason=reason)


def test_the_finalists_are_the_fastest_the_baseline_and_the_steps_between(make_case):
    eager, ov, both = make_case(), make_case(runtime="openvino"), make_case(runtime="openvino", precision="amp-bf16")
    ort, slow = make_case(runtime="onnxruntime"), make_case(runtime="export")
    seconds = {eager: 0.1, ov: 0.06, both: 0.03, ort: 0.05, slow: 0.099}
    fates = [fate(both, "stayed"), *(fate(case, "slower") for case in (eager, ov, ort, slow))]
    assert finalists(fates, seconds) == [both, ort, ov, eager]
    assert finalists([fate(eager, "too-slow")], seconds) == []


def test_where_the_time_ended_the_race_all_that_lived_may_win_and_are_confirmed(make_case):
    eager, ov, late = make_case(), make_case(runtime="openvino"), make_case(runtime="compile")
    lived = [structs.replace(fate(case, "no-time"), round=5) for case in (eager, ov)]
    fates = [*lived, fate(late, "no-time", "not started")]
    assert may_win(fates) == [eager, ov]
    assert finalists(fates, {eager: 0.1, ov: 0.05}) == [ov, eager]


def test_the_winner_has_the_least_time_over_its_processes_and_a_right_result(make_case, make_record, make_equality):
    fast, slow = make_case(runtime="openvino"), make_case(runtime="onnxruntime")
    records = [
        make_record(fast, latency_s=0.04),
        make_record(fast, latency_s=0.05, replicate=1),
        make_record(slow, latency_s=0.046),
        make_record(slow, latency_s=0.046, replicate=1),
    ]
    assert chosen([fast, slow], records) == fast
    wrong = [structs.replace(records[0], equality=make_equality("wrong")), *records[1:]]
    assert chosen([fast, slow], wrong) == slow
    assert chosen([slow], []) is None
    assert image_s(make_record(fast, status="crash", cause="x")) == float("inf")


def test_without_a_winner_the_bound_that_binds_is_named_with_the_nearest(make_case):
    eager, ov = make_case(), make_case(runtime="openvino")
    fates = (fate(eager, "too-slow", "a step takes 90 ms"), fate(ov, "too-slow", "a step takes 60 ms"))
    reason, nearest = binding(fates, {eager: 0.09, ov: 0.06})
    assert nearest == ov
    assert "latency" in reason
    assert "60 ms" in reason
    reason, nearest = binding((fate(ov, "failed", "no kernel"),), {})
    assert (nearest, "no kernel" in reason) == (None, True)


def test_an_agreement_that_is_not_known_is_no_agreement(make_case, make_record):
    quantized = make_record(make_case(runtime="openvino", precision="int8"), nulls={"agreement": "no images"})
    assert "no images" in disagrees(quantized, 0.99)
    assert disagrees(quantized, None) is None
    assert disagrees(make_record(), 0.99) is None


def test_processes_tell_candidates_apart_or_do_not(make_case, make_record):
    first, second = make_case(runtime="openvino"), make_case(runtime="onnxruntime")
    records = [make_record(first, latency_s=0.02, replicate=index, seed=index) for index in range(3)]
    far = [make_record(second, latency_s=0.03, replicate=index, seed=9 + index) for index in range(3)]
    near = [make_record(second, latency_s=0.02 * (1 + 0.1 * (index - 1)), replicate=index) for index in range(3)]
    assert told_apart(first, second, [*records, *far])
    assert not told_apart(first, second, [*records, *near])
    assert not told_apart(first, second, records)
