"""Runs that are stopped: what is kept, and how they go on."""

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
from bench.process.forkserver import ForkServer
from bench.schedule import run as runner
from results.errors import InputError
from results.metrics.levels import levels
from results.schema.lines.record import Record
from tests.bench.runs import QUICK, TINY, Recorder, Shared

pytestmark = pytest.mark.usefixtures("shared")


def test_interrupted_and_resumed(tmp_path):
    axes = {**TINY, "model": ["cifar_resnet20", "cifar_plain20"], "layout": ["nchw", "nhwc"]}
    with pytest.raises(runner.Interrupted, match="what was measured is kept in") as stopped:
        bench.run(axes=axes, device="cpu", out=tmp_path, show=Recorder(interrupt_after=1), replicates=1, **QUICK)
    path = stopped.value.path
    before = results.load(path)
    assert len(before) == 1
    assert not before.files[0].complete
    after = bench.resume(path)
    assert after.files[0].complete
    assert after[0] == before[0]
    # The case with a record was measured again, to join the others with it.
    assert len({record.case for record in after}) == len(after) - 1 == 4
    again = next(record for record in after[1:] if record.case == before[0].case)
    assert min(again.samples.part) == max(before[0].samples.part) + 1
    assert again.samples.at_s[0] > before[0].samples.at_s[-1]
    assert len(set(levels(list(after)).field.tolist())) == 1
    assert results.table(after)["speedup"].notna().all()
    with pytest.raises(InputError, match="nothing to resume"):
        bench.resume(path)


def test_the_time_limit_leaves_cases_for_another_time(tmp_path):
    axes = {**TINY, "batch_size": [1, 2, 3, 4]}
    records = bench.run(axes=axes, device="cpu", out=tmp_path, time_limit_s=0.01, **QUICK)
    assert len(records) == 0
    assert not records.files[0].complete
    assert len(bench.resume(records.files[0].path)) < 4  # the limit is the run's own


def test_an_imported_run_is_not_gone_on_with_and_stays_as_it_is(tmp_path, write_run, make_run, make_case):
    run = make_run(plan=[make_case()])
    path = write_run(tmp_path, run=structs.replace(run, settings=None), status="interrupted")
    before = path.read_bytes()
    with pytest.raises(InputError, match="was imported"):
        bench.resume(path)
    assert path.read_bytes() == before


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
