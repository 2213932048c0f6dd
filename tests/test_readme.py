"""Examples of README and docs work: Python runs, the suite is valid, commands run but for the measuring itself."""

import pathlib
import re
import shlex

import pytest
import torch
from PIL import Image

import resnet
import resnet.data
from bench import cli
from bench.schedule import ab as arms
from bench.schedule import plan as plans
from bench.schedule import run as runner
from bench.schedule.fitting import run as fitters
from bench.schedule.loading import run as loaders
from bench.schedule.profiling import peaks as measurers
from bench.schedule.profiling import run as profilers
from bench.schedule.racing import run as searchers
from bench.schedule.training import run as trainers
from bench.suites.suite import expand, load_suite
from resnet.storage import weights
from results.analysis.ab import Paired
from results.analysis.study import Study
from results.exporters import exporter
from results.exporters.files import SINGLE
from results.statistics.looks import judge
from results.storage import reader
from results.storage.reader import load
from tests.loadings import loading
from tests.profiles import peaks, profile
from tests.reports.text.profiling.test_fit import fit
from tests.searches import made_search, write_search
from tests.trainings import made_trainings, training_header, write_trainings

TIMM = """\
model,infer_img_size,infer_samples_per_sec,infer_step_time,infer_batch_size,param_count,infer_gmacs,infer_macts
resnet50,224,4222.5,242.5,1024,25.56,4.11,11.11
"""
ROOT = pathlib.Path(__file__).parents[1]
ELSEWHERE = {"ci.md", "comparing.md"}
"""Documents whose commands need more than a run: see `test_guide`."""
DOCUMENTS = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").glob("*.md") if path.name not in ELSEWHERE)]


def blocks(language):
    texts = [document.read_text(encoding="utf-8") for document in DOCUMENTS]
    return [
        block for text in texts for block in re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    ]


def commands():
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("resnet-bench ")]
    calls = [shlex.split(line, comments=True)[1:] for line in lines]
    return [call for index, call in enumerate(calls) if call not in calls[:index]]


@pytest.fixture
def trained(tmp_path, make_case, make_run):
    """Trainings, a network and images, which nobody trained or took; gives the path of a run file."""
    for name in ("base.jsonl", "new.jsonl", "runs/train.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        run = training_header(make_run, path.stem)
        write_trainings(path.parent, run, made_trainings(make_case))
    torch.manual_seed(0)
    classifier = resnet.Classifier("cifar_resnet20", classes=["boot", "bag"], in_channels=1, image_size=28)
    classifier.save(tmp_path / "network.safetensors")
    for name in ("photo.png", "ankle-boot.png"):
        Image.new("L", (28, 28), 99).save(tmp_path / name)
    return path


@pytest.fixture
def small_data(monkeypatch):
    """Let sets have few images, and published weights be made: nothing is downloaded."""
    whole = resnet.data.load_data
    monkeypatch.setattr(resnet.data, "load_data", lambda name, **given: whole(name, **{"limit": 128, **given}))
    monkeypatch.setattr(weights, "download", lambda name, label: resnet.create(name).state_dict())


@pytest.mark.filterwarnings("ignore:weights 'IMAGENET1K_V2'")
@pytest.mark.usefixtures("trained", "small_data")
@pytest.mark.parametrize("code", blocks("python"))
def test_python(code, tmp_path, monkeypatch, capsys):
    """What a comment behind `print` says, up to a colon, is printed."""
    monkeypatch.chdir(tmp_path)
    space = {}
    exec(compile(code, "documents", "exec"), space)  # noqa: S102 - our own examples
    printed = capsys.readouterr().out.splitlines()
    assert set(re.findall(r"^print\(.*  # ([^:\n]+)", code, re.MULTILINE)) <= set(printed)
    if "frame" in space:
        assert list(space["frame"]["status"]) == ["ok", "ok"]
        assert (tmp_path / "report.html").stat().st_size > 1_500_000
    if "again" in space:
        assert len({record.case for record in space["again"]}) == 2


@pytest.mark.parametrize("text", blocks("toml"))
def test_suite(text, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    assert len(expand(load_suite(path), device="cpu", threads=2)) == 24


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_command(command, tmp_path, monkeypatch, capsys, write_run, make_record, make_run, trained):
    """Each runs as it stands, but for the measuring itself."""
    monkeypatch.chdir(tmp_path)
    (suite,) = blocks("toml")
    (tmp_path / "my-suite.toml").write_text(suite, encoding="utf-8")
    record = make_record()
    for day in ("monday", "tuesday"):
        path = write_run(tmp_path / "runs", [record], run=make_run(run_id=day, plan=[record.case]))
    for name in ("before", "after"):
        write_trainings(tmp_path, make_run(run_id=name, plan=(), suite="profile"), [profile()])
    elsewhere = reader.load(
        write_run(tmp_path / "elsewhere", [record], run=make_run(run_id="other", plan=[record.case]))
    )
    for name, fmt in (("runs.csv", "csv"), ("benchmarks.json", "pytest-benchmark")):
        made = exporter(fmt)(Study(elsewhere))
        (tmp_path / name).write_bytes(made.content(SINGLE))
    (tmp_path / "benchmark-infer-amp-nchw-pt240-cu124-rtx4090.csv").write_text(TIMM, encoding="utf-8")
    ran = []

    def run(plan, *, device, out, show):
        ran.append((plan, device))
        return load(path)

    def plan(suite, *, device):
        cases = expand(suite, device="cpu", threads=2)
        return plans.Plan(
            suite=suite.name,
            cases=cases,
            settings=suite.settings["cpu"],
            environment=load(path).files[0].run.environment,
        )

    def ab(a, b, *, margin, device, out, show, **settings):
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

    def run_loader(request, *, device, out, show):
        path = write_trainings(tmp_path, make_run(run_id="loading", plan=(), suite="loader"), [loading()])
        return load(path).files[0]

    def run_profiles(suite, *, device, out, options, show):
        path = write_trainings(tmp_path, make_run(run_id="profile", plan=(), suite="profile"), [peaks(), profile()])
        return load(path).files[0]

    def run_peaks(**options):
        path = write_trainings(tmp_path, make_run(run_id="peaks", plan=(), suite="peaks"), [peaks()])
        return load(path).files[0]

    def run_fits(suite, request, **options):
        path = write_trainings(tmp_path, make_run(run_id="fit", plan=(), suite="fit"), [fit()])
        return load(path).files[0]

    def find_best(request, **options):
        return made_search(), write_search(tmp_path / "searches")

    monkeypatch.setattr(searchers, "find_best", find_best)
    monkeypatch.setattr(fitters, "run_fits", run_fits)
    monkeypatch.setattr(profilers, "run_profiles", run_profiles)
    monkeypatch.setattr(measurers, "run_peaks", run_peaks)
    monkeypatch.setattr(trainers, "train", lambda choice, *, show, **options: load(trained))
    monkeypatch.setattr(loaders, "run_loader", run_loader)
    monkeypatch.setattr(arms, "ab", ab)
    monkeypatch.setattr(runner, "run", run)
    monkeypatch.setattr(runner, "resume", lambda path, *, show: run(path, device=None, out=None, show=show))
    monkeypatch.setattr(runner, "plan", plan)
    if "--figures" in command:  # drawing images needs a browser; `test_docs` checks the options
        command = command[: command.index("--figures")]
    # A single replicate is inconclusive; and the machine of a test may be unfit to measure.
    assert cli.main(command) in {"compare": {0, 3}, "doctor": {0, 1}}.get(command[0], {0})
    assert bool(ran) == (command[0] == "run" and "--dry-run" not in command)
    assert capsys.readouterr().out
