"""Commands of the guides to comparing and to CI run, and workflows of the latter are what our actions take."""

import json
import pathlib
import re
import shlex

import pytest
import yaml
from msgspec import structs

from bench import cli
from bench.schedule import ab as arms
from bench.schedule import run as runner
from results.analysis.ab import compare_arms
from results.schema.lines.run import Arm
from results.storage.reader import load

ROOT = pathlib.Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "ci.md"
COMPARING = ROOT / "docs" / "comparing.md"

TIMM = """\
model,infer_img_size,infer_samples_per_sec,infer_step_time,infer_batch_size,param_count,infer_gmacs,infer_macts
resnet18,160,26274.9,38.963,1024,11.69,0.93,1.27
resnet50,224,4269.54,239.828,1024,25.56,4.11,11.11
"""


def blocks(language, guide=GUIDE):
    text = guide.read_text(encoding="utf-8")
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)


def commands(*guides):
    lines = [line for guide in guides for block in blocks("sh", guide) for line in block.splitlines()]
    assert all(line.startswith("resnet-bench ") for line in lines)
    return [shlex.split(line, comments=True)[1:] for line in lines]


@pytest.fixture
def measured(tmp_path, make_record, make_static, make_run, write_run):
    """A folder with the run files of two machines."""

    def make(folder, started="2026-11-22T00:38:12Z"):
        for machine in ("x86", "arm"):
            records = [make_record(replicate=index, latency_s=0.05 + 1e-4 * index, noise=0.001) for index in range(4)]
            run = make_run(plan=[records[0].case], run_id=f"{folder.replace('/', '-')}-{machine}", started=started)
            run = structs.replace(run, environment=structs.replace(run.environment, cpu=machine))
            write_run(tmp_path / folder, records, [make_static()], run=run)

    return make


@pytest.fixture
def paired(make_record, make_case, make_run, make_static, write_run):
    """Write the two run files of an A/B comparison into a folder, and give what they show."""

    def make(folder, pair="p"):
        sides = []
        for name in ("a", "b"):
            records = []
            for index in range(10):
                record = make_record(replicate=index, noise=0.001)
                beside = tuple(0.05 * (1 + 1e-4 * index) for _ in record.samples.wall_s) if name == "b" else ()
                samples = structs.replace(record.samples, arm_s=beside)
                records.append(structs.replace(record, samples=samples))
            run = make_run(plan=[make_case()], run_id=f"{pair}-{name}", arm=Arm(name=name, pair=pair, margin=0.02))
            sides.append(load(write_run(folder, records, [make_static()], run=run)))
        return compare_arms(*sides)

    return make


@pytest.mark.parametrize("command", commands(GUIDE, COMPARING), ids=" ".join)
def test_command(command, tmp_path, monkeypatch, capsys, measured, paired):
    """Each runs as it stands, but for the measuring itself."""
    monkeypatch.chdir(tmp_path)
    for folder in ("base", "new", "runs"):
        measured(folder)
    measured("archive/2026-11", "2026-11-01T00:00:00Z")
    paired(tmp_path / "ab", "earlier")
    (tmp_path / "published").mkdir()
    (tmp_path / "benchmark-infer-amp-nchw-pt240-cu124-rtx4090.csv").write_text(TIMM, encoding="utf-8")
    if command[:1] == ["report"] and "published" in command:
        assert (
            cli.main(["import", "timm", "benchmark-infer-amp-nchw-pt240-cu124-rtx4090.csv", "--out", "published"]) == 0
        )
    for path in ("head", "main", "branch", "nightly/bin/python"):
        (tmp_path / path).mkdir(parents=True)
    ran = []

    def run(plan, *, device, out, show):
        ran.append(plan)
        return load(out)

    def ab(a, b, *, margin, device, out, show, **settings):
        ran.append((a, b))
        return paired(tmp_path / (out or "nowhere"))

    monkeypatch.setattr(runner, "run", run)
    monkeypatch.setattr(arms, "ab", ab)
    without_gpu = "cuda:0" in command
    assert cli.main(command) in _codes(command)
    assert capsys.readouterr().out or without_gpu or "-o" in command
    assert without_gpu or bool(ran) == (command[0] in {"run", "ab", "doctor"})
    if "-o" in command:
        output = command[command.index("-o") + 1]
        files = (
            [f"{output}-bigger.json", f"{output}-smaller.json"] if "github-action-benchmark" in command else [output]
        )
        assert all((tmp_path / file).stat().st_size > 0 for file in files)


def _codes(command):
    """Return the exit codes that are right: the machine of a test may be unfit to measure, and have no accelerator."""
    if command[0] != "doctor":
        return {0}
    return {0, 1, 2} if "cuda:0" in command else {0, 1}


def test_every_command_that_ci_needs_is_in_the_guide():
    used = {command[0] for command in commands(GUIDE)}
    assert used == {"run", "report", "compare", "ab", "doctor", "import", "export", "history"}


def test_exit_codes_are_those_of_the_command():
    rows = re.findall(
        r"^\| (pass|regression|bad input|inconclusive) \| (\d) \|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE
    )
    from bench.commands.options import BAD_INPUT, OUTCOMES  # noqa: PLC0415

    assert {word: int(code) for word, code in rows} == {**OUTCOMES, "bad input": BAD_INPUT}


def test_workflows_of_the_guide_give_our_actions_what_they_take():
    (text,) = blocks("yaml")
    seen = set()
    for job in yaml.safe_load(text)["jobs"].values():
        for step in job["steps"]:
            found = re.fullmatch(r"OWNER/resnet-bench/\.github/actions/(\w+)@COMMIT", step["uses"])
            if found:
                path = ROOT / ".github" / "actions" / found[1] / "action.yml"
                inputs = yaml.safe_load(path.read_text(encoding="utf-8"))["inputs"]
                assert {name for name, one in inputs.items() if one.get("required")} <= set(step["with"]) <= set(inputs)
                seen.add(found[1])
    assert seen == {"measure", "gate"}


def test_the_matrix_of_the_guide_is_one():
    (text,) = blocks("json")
    for machine in json.loads(text):
        assert {"name", "runs-on"} <= set(machine) <= {"name", "runs-on", "args", "pip-args", "cache"}


def test_variables_of_the_guide_are_those_of_the_workflows():
    workflows = "".join(path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml"))
    named = set(re.findall(r"RESNET_BENCH_\w+", GUIDE.read_text(encoding="utf-8")))
    assert named <= set(re.findall(r"vars\.(RESNET_BENCH_\w+)", workflows))
    assert named
