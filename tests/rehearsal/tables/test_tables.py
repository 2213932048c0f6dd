"""Both tables of steps: every step can be started, and every bound reads what its step leaves."""

import pytest
import typer

from bench import cli
from tests.rehearsal.evidence import Evidence
from tests.rehearsal.running import ROOT, run_all
from tests.rehearsal.tables.cpu import CPU
from tests.rehearsal.tables.fakes import FakeGpu
from tests.rehearsal.tables.gpu import GPU
from tests.rehearsal.tables.published import FIGURES
from tests.rehearsal.verdicts import exit_code, judge_step

FIELDS = {"device": "cuda:0", "identity": "", "out": "OUT", "runs": "RUNS", "traces": "TRACES"}


@pytest.mark.parametrize("steps", [GPU, CPU], ids=["gpu", "cpu"])
def test_steps_can_be_started_as_they_stand(steps):
    assert len({step.name for step in steps}) == len(steps)
    run = typer.main.get_command(cli.app).commands
    for each in steps:
        arguments = [argument.format(**FIELDS) for argument in each.argv]
        assert bool(arguments) != bool(each.skip)
        if arguments[:2] == ["-m", "bench"]:
            run[arguments[2]].make_context(arguments[2], arguments[3:])
            assert float(arguments[arguments.index("--time-limit") + 1]) <= each.seconds - 10
        elif arguments[:2] == ["-m", "pytest"]:
            files = [argument for argument in arguments if argument.endswith(".py")]
            assert files
            assert all((ROOT / file).exists() for file in files)
        elif arguments[:1] == ["-m"]:
            assert ROOT.joinpath(*arguments[1].split(".")).with_suffix(".py").exists()


def test_both_tables_have_the_same_steps():
    assert {each.name for each in CPU} == {each.name for each in GPU} - {"timm-on", "timm-on-512"}


def test_every_published_figure_has_its_source():
    assert all(figure.source and figure.gpu for figure in FIGURES)
    assert {figure.images_per_s for figure in FIGURES} >= {5088, 4303, 2470, 938, 3382, 1198, 1261, 415}


@pytest.fixture
def fake_gpu(make_case, make_record, make_run, write_run, make_equality):
    return FakeGpu(make_case, make_record, make_run, write_run, make_equality)


@pytest.fixture
def rehearsed(tmp_path, fake_gpu):
    """Judge the steps of the table for a GPU by what the fake leaves."""

    def rehearse(after=lambda: None):
        fields = {
            "device": "cuda:0",
            "identity": "",
            "out": str(tmp_path),
            "runs": str(tmp_path / "runs"),
            "traces": "",
        }
        outcomes = run_all(GPU, fields, tmp_path, limit_s=600, show=lambda *_: None, run=fake_gpu)
        after()
        evidence = Evidence(tmp_path, tmp_path / "runs")
        return [v for o, s in zip(outcomes, GPU, strict=True) for v in judge_step(o, s.bounds, evidence)]

    return rehearse


def test_every_number_of_a_good_gpu_is_read_and_kept(rehearsed):
    verdicts = rehearsed()
    assert [(v.step, v.what, v.number, v.reason) for v in verdicts if v.state not in {"kept", "shown"}] == []
    assert [(v.step, v.what, v.reason) for v in verdicts if v.number is None] == []
    assert exit_code(verdicts) == 0


@pytest.mark.parametrize(
    ("line", "field", "value", "step", "count"),
    [
        ("P1", "two_marks_s", 11e-6, "physics", 1),
        ("P2/large", "harness_1", 0.006, "physics", 1),
        ("P2/large", "plateau_s", 0.0203, "inference", 1),
        ("P6/tf32", "matmul", 1e-7, "physics", 1),
        ("timm-like/off", "images_per_s", 256 / 0.0206, "timm-off", 1),
        ("kill", "left_bytes", 9e8, "kill", 1),
    ],
)
def test_a_bad_number_is_broken(rehearsed, fake_gpu, line, field, value, step, count):
    fake_gpu.physics = {**fake_gpu.physics, line: {**fake_gpu.physics[line], field: value}}
    verdicts = rehearsed()
    broken = [verdict for verdict in verdicts if verdict.state == "BROKEN"]
    assert [verdict.step for verdict in broken] == [step] * count
    assert exit_code(verdicts) == 1


def test_a_part_that_failed_gives_its_reason(rehearsed, fake_gpu):
    fake_gpu.physics = {**fake_gpu.physics, "M1": {"error": "LookupError: no driver"}}
    verdicts = rehearsed()
    assert [(v.state, v.reason) for v in verdicts if v.what.startswith("M1")] == [("unknown", "LookupError: no driver")]
    assert exit_code(verdicts) == 3


def test_a_torn_line_and_a_missing_run_cost_their_own_numbers_only(rehearsed, tmp_path):
    def damage():
        with (tmp_path / "physics.jsonl").open("a") as file:
            file.write('{"name": "P1", "two_ma')
        for path in (tmp_path / "runs" / "training").iterdir():
            path.unlink()

    unknown = {verdict.step for verdict in rehearsed(damage) if verdict.state == "unknown"}
    assert unknown == {"training"}
