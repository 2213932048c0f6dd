import time

import psutil
import pytest
from msgspec import structs

import bench
import results
from bench.process.forkserver import SERVE
from bench.schedule import run as runner
from bench.schedule.progress import Progress
from bench.suites.suite import choose
from results.schema.lines.record import Record
from tests.bench.runs import QUICK, TINY, Recorder, Shared

pytestmark = pytest.mark.usefixtures("shared")


def test_a_run_from_axes_to_records(tmp_path):
    shown = Recorder()
    records = bench.run(
        axes={**TINY, "layout": ["nchw", "nhwc"], "precision": ["fp32", "tf32"]},
        device="cpu",
        out=tmp_path,
        show=shown,
        replicates=1,
        **QUICK,
    )
    assert {(r.case.layout, r.case.precision): r.status for r in records} == {
        ("nchw", "fp32"): "ok",
        ("nhwc", "fp32"): "ok",
        ("nchw", "tf32"): "unsupported",
        ("nhwc", "tf32"): "unsupported",
    }
    assert records.problems == ()
    assert records.files[0].complete
    assert records.files[0].path == shown.path
    assert shown.records == list(records)
    assert shown.statics == list(records.files[0].statics)
    assert {state.phase for state in shown.states} == {"static cost", "preparing", "measuring"}
    measured = [record for record in records if record.status == "ok"]
    assert all(len(record.samples.at_s) == len(record.samples.part) > 0 for record in measured)
    static = records.static(measured[0])
    assert static.parameters == 269_722
    frame = results.table(records)
    assert len(frame) == 4
    assert frame["throughput_img_per_s"].notna().sum() == frame["speedup"].notna().sum() == 2


def test_a_plan_says_what_a_run_would_do_and_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = runner.plan(choose(None, TINY, {"budget_s": 2.0, "replicates": 3}), device="cpu")
    assert [case.model for case in plan.cases] == ["cifar_resnet20"]
    assert plan.estimate_s == pytest.approx(3 * 2.5)
    assert plan.environment.torch
    assert list(tmp_path.iterdir()) == []


def test_workers_that_crash_hang_or_leave_cost_only_their_record(tmp_path, monkeypatch, shared):
    faults = {
        "fp32/eager/nhwc": "segfault",
        "amp-bf16/eager/nchw": "hang",
        "amp-bf16/eager/nhwc": "leave",
        "bf16/eager/nchw": "babble",
    }
    own = Shared(shared)
    monkeypatch.setattr(runner, "ForkServer", lambda: own)

    def misbehave(event):
        """Let the worker of a case that is about to be prepared misbehave."""
        if isinstance(event, Progress) and event.phase == "preparing":
            labels = event.case.removesuffix("/t1").split("/cpu/")[1]
            own.target = f"tests.bench.faulty:{faults[labels]}" if labels in faults else SERVE

    # Not those of this process: the browser of other tests, which is one of them, starts processes when it likes.
    server = psutil.Process(shared.pid)
    before = set(server.children(recursive=True))
    axes = {**TINY, "precision": ["fp32", "amp-bf16", "bf16"], "layout": ["nchw", "nhwc"]}
    records = bench.run(
        axes=axes, device="cpu", out=tmp_path, show=misbehave, replicates=1, **{**QUICK, "timeout_s": 20}
    )
    assert {record.case.key.removesuffix("/t1").split("/cpu/")[1]: record.status for record in records} == {
        "fp32/eager/nchw": "ok",
        "fp32/eager/nhwc": "crash",
        "amp-bf16/eager/nchw": "timeout",
        "amp-bf16/eager/nhwc": "crash",
        "bf16/eager/nchw": "crash",
        "bf16/eager/nhwc": "ok",
    }
    assert records.files[0].complete
    deadline = time.monotonic() + 20
    while left := set(server.children(recursive=True)) - before:
        assert time.monotonic() < deadline, left
        shared.spawn(SERVE).close()  # the server kills what earlier workers left when a worker ends


def test_a_report_that_breaks_the_schema_is_an_error_of_that_case(tmp_path, monkeypatch):
    original = runner.ReplicateRun.measure

    def spoil(self):
        for event in original(self):
            if isinstance(event, Record):
                wall = (float("nan"),) * len(event.samples.wall_s)
                yield structs.replace(event, samples=structs.replace(event.samples, wall_s=wall))
            else:
                yield event

    monkeypatch.setattr(runner.ReplicateRun, "measure", spoil)
    records = bench.run(axes=TINY, device="cpu", out=tmp_path, replicates=1, **QUICK)
    assert [record.status for record in records] == ["error"]
    assert "breaks the schema" in records[0].cause
