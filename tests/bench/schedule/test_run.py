import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest
from msgspec import structs

import bench
import results
from bench.process import ask
from bench.process.forkserver import SERVE, ForkServer
from bench.schedule import run as runner
from bench.schedule.progress import Planned, Progress
from results.errors import InputError
from results.schema.case import Case
from results.schema.record import Record
from results.schema.static import Static

QUICK = {"target": 0.5, "budget_s": 0.2, "timeout_s": 60}
TINY = {"model": ["cifar_resnet20"], "batch_size": [1], "threads": [1]}


BAD_CASE = Case(
    model="cifar_resnet2",
    task="inference",
    batch_size=1,
    image_size=32,
    device="cpu",
    precision="fp32",
    runtime="eager",
    layout="nchw",
    threads=1,
)


class Shared:
    """Stands in for a fork server of one's own: starting one costs seconds of importing torch."""

    def __init__(self, server):
        self.server, self.target = server, SERVE

    def spawn(self, target=SERVE):
        """Fork a worker; the next one runs `self.target` where that was set."""
        target, self.target = (target if self.target == SERVE else self.target), SERVE
        return self.server.spawn(target)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    with ForkServer() as server:
        yield server


@pytest.fixture(autouse=True)
def shared(server, monkeypatch):
    monkeypatch.setattr(runner, "ForkServer", lambda: Shared(server))


class Recorder:
    """Keeps what it is shown."""

    def __init__(self, interrupt_after=None):
        self.path, self.records, self.statics, self.states = None, [], [], []
        self.interrupt_after = interrupt_after

    def __call__(self, event):
        match event:
            case Planned():
                self.path = event.path
            case Progress():
                self.states.append(event)
            case Static():
                self.statics.append(event)
            case Record():
                self.records.append(event)
                if len(self.records) == self.interrupt_after:
                    raise KeyboardInterrupt


def test_a_run_from_axes_to_records(tmp_path):
    shown = Recorder()
    records = bench.run(
        axes={**TINY, "layout": ["nchw", "nhwc"], "precision": ["fp32", "tf32"]},
        device="cpu",
        out=tmp_path,
        show=shown,
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
    paired = next(r for r in records if r.status == "ok" and r.case.layout == "nhwc")
    assert paired.samples.baseline_s
    static = records.static(paired)
    assert static.parameters == 269_722
    frame = results.table(records)
    assert len(frame) == 4
    assert frame["throughput_img_per_s"].notna().sum() == 2


def test_given_cases_and_replicates(tmp_path, make_case):
    case = make_case(model="cifar_resnet20", batch_size=1, image_size=32, threads=1)
    records = bench.run([case, case], device="cpu", out=tmp_path, replicates=2, **QUICK)
    assert [record.replicate for record in records] == [0, 1]
    assert {record.case for record in records} == {case}


def test_a_plan_says_what_a_run_would_do_and_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = runner.plan(axes=TINY, device="cpu", budget_s=2.0, replicates=3)
    assert [case.model for case in plan.cases] == ["cifar_resnet20"]
    assert plan.estimate_s == pytest.approx(3 * 3.5)
    assert plan.environment.torch
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def machine(monkeypatch, make_run):
    """Let a plan be made for a machine with one accelerator, with no process asked; gives what torch's threads are."""
    environment = structs.replace(make_run().environment, torch_threads=3)
    full = {"auto": "cuda:0", "cuda": "cuda:0", "cuda:0": "cuda:0", "cpu": "cpu"}
    monkeypatch.setattr(ask, "environment", lambda _, devices: ([full[name] for name in sorted(devices)], environment))
    return environment


@pytest.mark.parametrize("name", ["cuda", "auto", "cuda:0"])
def test_given_cases_carry_the_full_name_of_their_device(machine, make_case, name):
    cases = [make_case(device=name), make_case(device="cpu"), make_case(device="cuda:0")]
    assert [case.device for case in runner.plan(cases).cases] == ["cuda:0", "cpu"]


def test_given_cases_without_threads_get_torchs(machine, make_case):
    cases = [make_case(threads=None), make_case(threads=1)]
    assert [case.threads for case in runner.plan(cases).cases] == [3, 1]


def test_a_device_beside_given_cases_is_theirs_or_refused(machine, make_case):
    assert runner.plan([make_case(device="cuda")], device="cuda:0").cases[0].device == "cuda:0"
    with pytest.raises(InputError, match="device 'cpu' is not that of"):
        runner.plan([make_case(device="cpu"), make_case(device="cuda")], device="cpu")


def test_an_imported_run_is_not_gone_on_with_and_stays_as_it_is(tmp_path, write_run, make_run, make_case):
    run = make_run(plan=[make_case()])
    path = write_run(tmp_path, run=structs.replace(run, settings=None), status="interrupted")
    before = path.read_bytes()
    with pytest.raises(InputError, match="was imported"):
        bench.resume(path)
    assert path.read_bytes() == before


def test_interrupted_and_resumed(tmp_path):
    axes = {**TINY, "model": ["cifar_resnet20", "cifar_plain20"], "layout": ["nchw", "nhwc"]}
    with pytest.raises(runner.Interrupted, match="what was measured is kept in") as stopped:
        bench.run(axes=axes, device="cpu", out=tmp_path, show=Recorder(interrupt_after=1), **QUICK)
    path = stopped.value.path
    before = results.load(path)
    assert len(before) == 1
    assert not before.files[0].complete
    after = bench.resume(path)
    assert after.files[0].complete
    assert len({(record.case, record.replicate) for record in after}) == len(after) == 4
    assert after[0] == before[0]
    assert sum(bool(record.samples.baseline_s) for record in after) == 2
    with pytest.raises(InputError, match="nothing to resume"):
        bench.resume(path)


def test_a_device_that_is_not_there_stops_cases_and_a_resumption_before_anything_is_written(
    tmp_path, write_run, make_run, make_case
):
    case = make_case(model="cifar_resnet20", image_size=32, device="cuda:5")
    with pytest.raises(InputError, match="no device 'cuda:5'"):
        bench.run([case], out=tmp_path / "runs")
    path = write_run(tmp_path, run=make_run(plan=[case]), status="interrupted")
    before = path.read_bytes()
    with pytest.raises(InputError, match="no device 'cuda:5'"):
        bench.resume(path)
    assert path.read_bytes() == before


def test_a_lost_fork_server_keeps_what_was_measured(tmp_path, monkeypatch):
    with ForkServer() as own:
        monkeypatch.setattr(runner, "ForkServer", lambda: Shared(own))

        def show(event):
            if isinstance(event, Record):
                own._process.kill()

        with pytest.raises(runner.Stopped, match="was lost") as stopped:
            bench.run(axes={**TINY, "batch_size": [1, 2]}, device="cpu", out=tmp_path, show=show, **QUICK)
    assert len(results.load(stopped.value.path)) == 1


def test_the_time_limit_leaves_cases_for_another_time(tmp_path):
    axes = {**TINY, "batch_size": [1, 2, 3, 4]}
    records = bench.run(axes=axes, device="cpu", out=tmp_path, time_limit_s=0.01, **QUICK)
    assert len(records) == 0
    assert not records.files[0].complete
    assert len(bench.resume(records.files[0].path)) < 4  # the limit is the run's own


def test_workers_that_crash_hang_or_leave_cost_only_their_record(tmp_path, monkeypatch, server):
    faults = {
        "fp32/eager/nhwc": "segfault",
        "amp-bf16/eager/nchw": "hang",
        "amp-bf16/eager/nhwc": "leave",
        "bf16/eager/nchw": "babble",
    }
    own = Shared(server)
    monkeypatch.setattr(runner, "ForkServer", lambda: own)

    def misbehave(event):
        """Let the worker of a case that is about to be prepared misbehave."""
        if isinstance(event, Progress) and event.phase == "preparing":
            labels = event.case.removesuffix("/t1").split("/cpu/")[1]
            own.target = f"tests.bench.faulty:{faults[labels]}" if labels in faults else SERVE

    before = {child.pid for child in psutil.Process().children(recursive=True)}
    axes = {**TINY, "precision": ["fp32", "amp-bf16", "bf16"], "layout": ["nchw", "nhwc"]}
    records = bench.run(axes=axes, device="cpu", out=tmp_path, show=misbehave, **{**QUICK, "timeout_s": 20})
    assert {record.case.key.removesuffix("/t1").split("/cpu/")[1]: record.status for record in records} == {
        "fp32/eager/nchw": "ok",
        "fp32/eager/nhwc": "crash",
        "amp-bf16/eager/nchw": "timeout",
        "amp-bf16/eager/nhwc": "crash",
        "bf16/eager/nchw": "crash",
        "bf16/eager/nhwc": "ok",
    }
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before
    assert records.files[0].complete


def test_a_report_that_breaks_the_schema_is_an_error_of_that_case(tmp_path, monkeypatch):
    original = runner.GroupRun.measure

    def spoil(self):
        for event in original(self):
            if isinstance(event, Record):
                wall = (float("nan"),) * len(event.samples.wall_s)
                yield structs.replace(event, samples=structs.replace(event.samples, wall_s=wall))
            else:
                yield event

    monkeypatch.setattr(runner.GroupRun, "measure", spoil)
    records = bench.run(axes=TINY, device="cpu", out=tmp_path, **QUICK)
    assert [record.status for record in records] == ["error"]
    assert "breaks the schema" in records[0].cause


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"suite": "defualt"}, "did you mean 'default'"),
        ({"axes": {**TINY, "model": ["resnt50"]}}, "did you mean 'resnet50'"),
        ({"axes": {**TINY, "batch_size": [0]}}, "batch_size"),
        ({"axes": {**TINY, "precision": ["fp23"]}}, "did you mean 'fp32'"),
        ({"axes": {**TINY, "image_size": [3]}}, "image"),
        ({"suite": [BAD_CASE]}, "did you mean 'cifar_resnet"),
        ({"axes": TINY, "device": "cuda:7"}, "no device 'cuda:7'"),
        ({"axes": TINY, "target": 0.0}, "target"),
        ({"suite": []}, "no cases"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing_behind(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        bench.run(**{"device": "cpu", **arguments})
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_output_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="--out"):
        bench.run(axes=TINY, device="cpu", out=tmp_path / "file", **QUICK)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's promises differ elsewhere")
def test_ctrl_c_in_a_shell_keeps_what_was_measured_and_leaves_nobody(tmp_path):
    code = f"""
        import sys
        from bench.cli import main
        sys.argv = ["resnet-bench", "run", "--model", "cifar_resnet20", "--layout", "nchw,nhwc", "--batch-size",
                    "1,2,3,4,5,6,7,8", "--device", "cpu", "--budget", "1", "--out", {str(tmp_path)!r}]
        sys.exit(main())
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
        start_new_session=True,
    )
    with process:
        deadline = time.monotonic() + 90
        lines = []
        while not any(line.startswith("[1/") for line in lines) and time.monotonic() < deadline:
            lines.append(process.stderr.readline())
        family = psutil.Process(process.pid).children(recursive=True)
        assert family
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(timeout=30) == 130
    assert "--resume" in rest
    assert "Traceback" not in rest
    (path,) = tmp_path.glob("*.jsonl")
    assert len(results.load(path)) >= 1
    assert '"status":"interrupted"' in path.read_text().splitlines()[-1]
    assert json.loads(path.read_text().splitlines()[-1])
    assert not psutil.wait_procs(family, timeout=10)[1]
