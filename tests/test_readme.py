"""The README's examples work: its Python runs, its suite is one, its commands are known."""

import pathlib
import re
import shlex

import pytest

from bench import arms, cli, runner
from bench.suite import expand, load_suite
from results import store
from results.arms import Paired
from results.exchange.exporting import exporter
from results.exchange.files import SINGLE
from results.pairs import judge
from results.store import load

TIMM = """\
model,infer_img_size,infer_samples_per_sec,infer_step_time,infer_batch_size,param_count,infer_gmacs,infer_macts
resnet50,224,4222.5,242.5,1024,25.56,4.11,11.11
"""
README = pathlib.Path(__file__).parents[1] / "README.md"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def commands():
    lines = [line.partition("  #")[0] for block in blocks("sh") for line in block.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("resnet-bench ")]


@pytest.mark.parametrize("code", blocks("python"))
def test_python(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    space = {}
    exec(compile(code, "README.md", "exec"), space)  # noqa: S102 - our own examples
    if "cost" in space:
        assert (space["cost"].parameters, space["cost"].macs, space["cost"].flops) == tuple(
            int(number) for number in re.search(r"# (\d+) (\d+) (\d+)", code).groups()
        )
        assert list(space["frame"]["status"]) == ["ok", "ok"]
        assert len(space["again"]) == 2
        assert (tmp_path / "report.html").stat().st_size > 4_000_000
        assert space["results"].compare(space["records"], space["later"]).outcome == "inconclusive"


@pytest.mark.parametrize("text", blocks("toml"))
def test_suite(text, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    assert len(expand(load_suite(path), device="cpu", threads=2)) == 24


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_command(command, tmp_path, monkeypatch, capsys, write_run, make_record, make_run):
    """Each runs as it stands, but for the measuring itself."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my-suite.toml").write_text(blocks("toml")[0], encoding="utf-8")
    record = make_record()
    for day in ("monday", "tuesday"):
        path = write_run(tmp_path / "runs", [record], run=make_run(run_id=day, plan=[record.case]))
    elsewhere = store.load(
        write_run(tmp_path / "elsewhere", [record], run=make_run(run_id="other", plan=[record.case]))
    )
    for name, fmt in (("runs.csv", "csv"), ("benchmarks.json", "pytest-benchmark")):
        made = exporter(fmt)(elsewhere)
        (tmp_path / name).write_bytes(made.content(SINGLE))
    (tmp_path / "benchmark-infer-amp-nchw-pt240-cu124-rtx4090.csv").write_text(TIMM, encoding="utf-8")
    ran = []

    def run(plan, *, device, out, resume, listener):
        ran.append((plan, device, resume))
        return load(path)

    def plan(suite, *, device):
        cases = expand(suite, device="cpu", threads=2)
        return runner.Plan(
            suite=suite.name,
            cases=cases,
            settings=suite.settings["cpu"],
            environment=load(path).files[0].run.environment,
        )

    def ab(a, b, *, margin, device, out, listener, **settings):
        case = record.case
        return Paired(
            pair="pair",
            margin=margin,
            a=case,
            b=case,
            judged=judge([1.0 + 0.001 * (index % 2) for index in range(10)], margin),
            ratios=(1.0,),
            a_latency_s=0.05,
            b_latency_s=0.05,
            pair_s=1.0,
            broken=False,
            counts=(),
            environment=(),
            reasons=(),
            notices=(),
        )

    monkeypatch.setattr(arms, "ab", ab)
    monkeypatch.setattr(runner, "run", run)
    monkeypatch.setattr(runner, "plan", plan)
    # One replicate is inconclusive; and the machine of a test may be unfit to measure.
    assert cli.main(command) in {"compare": {3}, "doctor": {0, 1}}.get(command[0], {0})
    assert bool(ran) == (command[0] == "run" and "--dry-run" not in command)
    assert capsys.readouterr().out
