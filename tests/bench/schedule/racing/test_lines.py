from msgspec import structs

from bench.schedule.progress import Note, Planned, Progress
from bench.schedule.racing.lines import SearchLines


def test_candidates_leave_stay_fail_or_are_confirmed(make_case, make_record, make_run, tmp_path):
    lines = SearchLines()
    record = make_record(make_case(runtime="openvino"), latency_s=0.02)
    assert lines.of(Planned(run=make_run(plan=()), path=tmp_path / "a.jsonl")).startswith("a search, into ")
    assert lines.of(structs.replace(record, stop="eliminated")).startswith("left: resnet50 b8 fp32 openvino nchw  20")
    assert lines.of(record).startswith("stayed: ")
    assert lines.of(structs.replace(record, replicate=1)).startswith("confirmed: ")
    failed = make_record(make_case(runtime="openvino"), status="unsupported", cause="openvino is not installed")
    assert lines.of(failed).endswith("unsupported: openvino is not installed")
    assert lines.of(Note("a remark")) == "a remark"
    assert lines.of(Progress(phase="measuring", case="x", done=1, total=2, seconds_left=None)) is None
