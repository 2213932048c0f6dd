"""Arguments and environment variables that were made to hurt, for every command; nothing is ever measured."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from bench.costs import static
from bench.machine.software import variables
from results.storage.lines import encode

shared_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

pytestmark = pytest.mark.usefixtures("unmeasured")

NASTY = (
    "",
    " ",
    "..",
    "../../etc/passwd",
    "/dev/zero",
    "-1",
    "0",
    "1e9",
    "1e400",
    "nan",
    "inf",
    "-inf",
    "10" * 40,
    "9" * 5_000,
    "x" * 5_000,
    "\u0663",
    "1_0",
    "0x10",
    "1,,2",
    ",",
    "=cmd|' /C calc'!A0",
    "'; rm",
    "$(id)",
    "`id`",
    "%s%n",
    "{0}",
    "<script>",
    "\x1b[31m",
    "\x9b2J",
    "\u202e",
    "\udcff\udcfe",
    "a\nb",
    "a\rb",
    "\N{PILE OF POO}",
    "cuda:99",
    "--help-me",
)

RUN = ("run", "--model", "resnet18", "--dry-run", "--device", "cpu")
AB = ("ab", "--model", "resnet18", "--device", "cpu")
REFUSED = {
    "a batch of 1e9": ((*RUN, "--batch-size", "1e9"), "'1e9' is not a whole number"),
    "a batch below 0": ((*RUN, "--batch-size", "-1"), "batch_size: -1 should be a whole number >= 1"),
    "a batch of 0": ((*RUN, "--batch-size", "0"), "batch_size: 0 should be a whole number >= 1"),
    "a batch of 10**12": (
        (*RUN, "--batch-size", str(10**12)),
        "batch_size: 1000000000000 should be a whole number <= 2147483648",
    ),
    "a batch of 4,000 digits": ((*RUN, "--batch-size", "1" * 4_000), "batch_size: 111"),
    "a batch of 5,000 digits": ((*RUN, "--batch-size", "1" * 5_000), "batch_size: '111"),
    "no batch": ((*RUN, "--batch-size", ""), "batch_size: '' is not a whole number"),
    "an image of 10**12": (
        (*RUN, "--image-size", str(10**12)),
        "image_size: 1000000000000 should be a whole number <= 2147483648",
    ),
    "an image of no pixel": ((*RUN, "--image-size", "0"), "image_size: 0 should be a whole number >= 1"),
    "half an image": ((*RUN, "--image-size", "224x"), "image_size: '224x' is no image size: give pixels such as 224"),
    "an image in hexadecimal": ((*RUN, "--image-size", "0x10"), "image_size: 0x10: 0 should be a whole number >= 1"),
    "an image with a cross": ((*RUN, "--image-size", "224\u00d7160"), "did you mean '224x160'?"),
    "an image of one huge side": ((*RUN, "--image-size", f"64x{10**12}"), "should be a whole number <= 2147483648"),
    "an image of 5,000 digits": ((*RUN, "--image-size", "1" * 5_000), "image_size: '111"),
    "an image with a thin side": ((*RUN, "--image-size", "224x8"), "image_size: 224x8 is too small for 'resnet18'"),
    "an arm of half an image": ((*AB, "--b", "image_size=224x"), "image_size: '224x' is no image size"),
    "no channel": ((*RUN, "--in-channels", "0"), "in_channels: 0 should be a whole number >= 1"),
    "no threads": ((*RUN, "--threads", "0"), "threads: 0 should be a whole number >= 1"),
    "threads of NaN": ((*RUN, "--threads", "nan"), "'nan' is not a whole number"),
    "a target of NaN": ((*RUN, "--target", "nan"), "'nan' is no fraction"),
    "an infinite target": ((*RUN, "--target", "inf%"), "'inf%' is no fraction"),
    "a target below 0": ((*RUN, "--target", "-1%"), "'-1%' is no fraction"),
    "no target": ((*RUN, "--target", ""), "'' is no fraction"),
    "a target of one letter often": ((*RUN, "--target", "x" * 5_000), "is no fraction"),
    "an infinite budget": ((*RUN, "--budget", "inf"), "budget_s: inf should be a number <= 1000000000"),
    "a budget below 0": ((*RUN, "--budget", "-1"), "budget_s: -1.0 should be a number > 0"),
    "a timeout that no clock can wait": (
        (*RUN, "--timeout", "1e300"),
        "timeout_s: 1e+300 should be a number <= 1000000000",
    ),
    "a limit of NaN": ((*RUN, "--time-limit", "nan"), "time_limit_s: nan should be a number > 0"),
    "replicates of 5,000 digits": ((*RUN, "--replicates", "9" * 5_000), "'--replicates'"),
    "half a replicate": ((*RUN, "--replicates", "1.5"), "'--replicates'"),
    "a model upwards": (("run", "--model", "../x"), "unknown model '../x'"),
    "a model of 5,000 letters": (("run", "--model", "x" * 5_000), "should be text of length <= 128"),
    "an empty model": (("run", "--model", "resnet18,"), "model: ''"),
    "a precision that is none": (("run", "--model", "resnet18", "--precision", "\x1b[31m"), r"precision '\x1b[31m'"),
    "a device that is none": ((*RUN[:-1], "'; rm"), 'no device "\'; rm" on this machine'),
    "a device far away": ((*RUN[:-1], "cuda:99"), "no device 'cuda:99'"),
    "a device below 0": ((*RUN[:-1], "cuda:-1"), "no device 'cuda:-1'"),
    "a device of meta": ((*RUN[:-1], "meta"), "no device 'meta'"),
    "an empty device": ((*RUN[:-1], ""), "no device ''"),
    "a suite upwards": (("run", "../../../etc/passwd"), "unknown suite '../../../etc/passwd'"),
    "a suite of 5,000 letters": (("run", "x" * 5_000), "unknown suite 'xxx"),
    "an empty suite": (("run", ""), "unknown suite ''"),
    "a suite with bytes that are no text": (("run", "\udcff\udcfe.toml"), r"\udcff\udcfe.toml"),
    "going on with nothing": (("run", "--resume", ""), ". is no regular file"),
    "going on with what is not there": (("run", "--resume", "none.jsonl"), "there is no file none.jsonl"),
    "going on with a device": (("run", "--resume", "/dev/zero"), "is no regular file"),
    "going on with text": (("run", "--resume", "text"), "text line 1: this is no run file"),
    "writing below a file": (("run", "--model", "resnet18", "--device", "cpu", "--out", "text/runs"), "text/runs"),
    "writing into a file": (("run", "--model", "resnet18", "--device", "cpu", "--out", "text"), "its folder is a file"),
    "writing into a device": (("run", "--model", "resnet18", "--device", "cpu", "--out", "/dev/null"), "/dev/null"),
    "writing under a long name": (("run", "--model", "resnet18", "--device", "cpu", "--out", "x" * 300), "too long"),
    "a list of what is not": (("list", "\x1b[31m"), r"'\x1b[31m' is not one of"),
    "an option that steers": (("run", "--\x1b[31m\u202e"), r"--\x1b[31m\u202e"),
    "a command that steers": (("\x1b[31m",), r"\x1b[31m"),
    "an empty command": (("",), "no such command ''"),
    "the cost of nothing": (("cost", ""), "unknown model ''"),
    "the cost of a path": (("cost", "/etc/passwd"), "unknown model '/etc/passwd'"),
    "the cost of 5,000 letters": (("cost", "x" * 5_000), "unknown model 'xxx"),
    "the cost of 10**12 pixels": (("cost", "resnet18", "--image-size", str(10**12)), "whole number <= 2147483648"),
    "the cost of 10**9 pixels": (("cost", "resnet18", "--image-size", str(10**9)), "choose a smaller image"),
    "the cost of a billion rows": (("cost", "resnet18", "--image-size", f"{10**9}x32"), "choose a smaller image"),
    "the cost of 10**9 channels": (("cost", "resnet18", "--in-channels", str(10**9)), "choose a smaller image"),
    "the cost of 10**12 channels": (("cost", "resnet18", "--in-channels", str(10**12)), "'--in-channels'"),
    "the cost of -1 pixels": (("cost", "resnet18", "--image-size", "-1"), "'--image-size'"),
    "the cost of 5,000 digits": (("cost", "resnet18", "--image-size", "9" * 5_000), "'--image-size'"),
    "the cost in another form": (("cost", "resnet18", "--format", "../x"), "'../x' is not one of"),
    "a table in another form": (("table", "run.jsonl", "--format", "\u202e"), "is not one of"),
    "a margin of NaN": (("compare", "run.jsonl", "run.jsonl", "--margin", "nan"), "'nan' is no fraction"),
    "an infinite margin": (("compare", "run.jsonl", "run.jsonl", "--margin", "inf"), "'inf' is no fraction"),
    "a margin below 0": (("compare", "run.jsonl", "run.jsonl", "--margin", "-2%"), "'-2%' is no fraction"),
    "a run against itself": (("compare", "run.jsonl", "run.jsonl"), "is on both sides"),
    "an arm without a model": (("ab",), "no model to measure"),
    "an arm that sets nothing": ((*AB, "--a", "threads"), "--a: 'threads' is no KEY=VALUE"),
    "an arm of an unknown key": ((*AB, "--b", "__class__=1"), "--b: '__class__=1' is no KEY=VALUE"),
    "an arm of a device": ((*AB, "--b", "device=cuda"), "--b: 'device=cuda' is no KEY=VALUE"),
    "an arm that steers": ((*AB, "--a", "\x1b[31m=\u202e"), r"--a: '\x1b[31m=\u202e'"),
    "an arm of 5,000 letters": ((*AB, "--a", "x" * 5_000), "--a: 'xxx"),
    "an arm of no batch": ((*AB, "--a", "batch_size="), "batch_size: '' is not a whole number"),
    "an arm of a batch below 0": ((*AB, "--a", "batch-size=-1"), "batch_size: -1 should be a whole number >= 1"),
    "an arm of 1e9 threads": ((*AB, "--b", "threads=1e9"), "threads: '1e9' is not a whole number"),
    "an arm of all models": ((*AB, "--b", "model=../x"), "unknown model '../x'"),
    "an arm of another precision": ((*AB, "--b", "precision='; rm"), 'unknown precision "\'; rm"'),
    "an arm of a python that is not": ((*AB, "--python-a", "none/python"), "there is no none/python"),
    "an arm of a checkout that is not": ((*AB, "--checkout-b", "\x1b[31m"), r"there is no \x1b[31m"),
    "arms with a margin of NaN": ((*AB, "--margin", "nan"), "'nan' is no fraction"),
    "arms with an infinite budget": ((*AB, "--budget", "inf"), "budget_s: inf should be a number <= 1000000000"),
    "arms with a timeout that no clock can wait": (
        (*AB, "--timeout", "1e300"),
        "timeout_s: 1e+300 should be a number <= 1000000000",
    ),
    "arms in another form": ((*AB, "--format", "\u202e"), "is not one of"),
    "arms on another device": ((*AB[:-1], "cuda:99"), "no device 'cuda:99'"),
    "a doctor without a batch": (("doctor", "--batch-size", "0"), "'--batch-size'"),
    "a doctor without time": (("doctor", "--time", "0"), "'--time'"),
    "a doctor for CSV": (("doctor", "--format", "csv"), "'csv' is not one of"),
    "a page over the run file": (("report", "run.jsonl", "-o", "run.jsonl"), "is a run file"),
    "a page over a link to it": (("report", "run.jsonl", "-o", "link"), "is a run file"),
    "a page over another run file": (("report", "run.jsonl", "-o", "other.jsonl"), "is a run file"),
    "a page over a device": (("report", "run.jsonl", "-o", "/dev/null"), "is no file"),
    "a page over a folder": (("report", "run.jsonl", "-o", "."), "is no file"),
    "a page under no name": (("report", "run.jsonl", "-o", ""), "is no file"),
    "a page below a file": (("report", "run.jsonl", "-o", "text/page.html"), "cannot write 'text/page.html'"),
    "a page under a long name": (("report", "run.jsonl", "-o", "x" * 300), "too long"),
}


@pytest.fixture
def files(folder, run_lines, sealed):
    """A run file, a link to it and another file."""
    (folder / "run.jsonl").write_bytes(b"".join(map(sealed, run_lines)))
    (folder / "link").symlink_to("run.jsonl")
    (folder / "text").write_text("hello\n")
    return folder


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_a_hostile_argument_is_one_line(refused, arguments, message):
    refused(message, *arguments)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_one_line(refused, files):
    (files / "closed").mkdir(mode=0o500)
    refused("Permission denied", "run", "--model", "resnet18", "--device", "cpu", "--out", "closed")
    refused("Permission denied", "report", "run.jsonl", "-o", "closed/page.html")


@pytest.mark.parametrize("name", ["\x1b[31m", "a\u202eb", "a\nb", "a\udcff", "=cmd", "<script>", "-", "..."])
def test_what_is_written_under_a_hostile_name_stays_in_its_folder(call_writing, files, name):
    before = {entry.name for entry in files.iterdir()}
    run = ("run", "--model", "resnet18", "--device", "cpu")
    assert call_writing(*run, "--out", f"./{name}", "--no-report").code == 3
    assert {entry.name for entry in files.iterdir()} == {*before, name}
    assert [entry.name for entry in (files / name).iterdir()] == ["planned.jsonl"]
    assert call_writing(*run, "--out", f"./{name}").code == 2  # it is there already, and stays
    assert call_writing("run", "--resume", f"./{name}/planned.jsonl").code == 3
    assert sorted(entry.name for entry in (files / name).iterdir()) == ["planned.html", "planned.jsonl"]


@pytest.mark.parametrize("form", ["table", "csv"])
def test_a_stdout_that_cannot_write_a_name_is_no_traceback(folder, run_lines, sealed, form):
    for line in run_lines[2:-1]:
        line["body"]["case"]["model"] = "\N{CJK UNIFIED IDEOGRAPH-4E2D}"
    (folder / "run.jsonl").write_bytes(b"".join(map(sealed, run_lines)))
    done = subprocess.run(
        [sys.executable, "-m", "bench", "table", "run.jsonl", "--format", form],
        env={**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u4e2d" in done.stdout


@pytest.mark.parametrize("value", ["\udcff", "\x1b[31m", "a\nb", "x" * 10_000, "\x1b" * 4096, "", "\N{PILE OF POO}"])
def test_a_hostile_environment_variable_can_be_kept(make_run, value):
    kept = variables({"OMP_NUM_THREADS": value, "LD_PRELOAD": value, "OMP_\udcff": value, "HOME": value})
    assert set(kept) == {"OMP_NUM_THREADS", "LD_PRELOAD"}
    run = make_run()
    run = structs.replace(run, environment=structs.replace(run.environment, variables=kept))
    encode(1, run)  # raises where the reader would refuse it


# ---------------------------------------------------------------------------------------------------------- Hypothesis

VALUE = st.sampled_from(NASTY) | st.text(st.characters(exclude_characters="\0"), max_size=20)
AXIS = st.sampled_from(
    ["--model", "--task", "--precision", "--runtime", "--layout", "--batch-size", "--image-size", "--threads"]
)
SETTING = st.sampled_from(["--device", "--replicates", "--target", "--budget", "--timeout", "--time-limit", "--out"])
FORM = st.sampled_from(["--format", "--margin", "--output", "--image-size", "--per-layer", "--per-stage", "--help"])


def flat(pairs):
    return [part for pair in pairs for part in pair]


@settings(shared_folder, max_examples=150)
@given(pairs=st.lists(st.tuples(AXIS | SETTING, VALUE), max_size=4), suite=st.none() | VALUE)
def test_any_arguments_of_a_dry_run_are_a_plan_or_one_line(call, pairs, suite):
    positional = [] if suite is None else ["--", suite]
    call("run", "--dry-run", "--device", "cpu", *flat(pairs), *positional)


@settings(shared_folder, max_examples=100)
@given(
    pairs=st.lists(st.tuples(AXIS | SETTING | st.just("--margin"), VALUE), max_size=3),
    described=st.lists(
        st.tuples(st.sampled_from(["model", "batch_size", "threads", "layout", "x"]), VALUE), max_size=3
    ),
)
def test_any_description_of_an_arm_is_an_arm_or_one_line(call, pairs, described):
    text = ",".join(f"{key}={value}" for key, value in described)
    assert call("ab", "--device", "cpu", *flat(pairs), "--b", text).code == 2


@pytest.fixture
def counted(monkeypatch, make_static):
    """Let `cost` find known models at once."""
    monkeypatch.setattr(
        static,
        "cost",
        lambda name, *, image_size, in_channels, head: make_static(
            name, image_size=image_size or 224, in_channels=in_channels, head=head
        ),
    )


@settings(shared_folder, max_examples=100)
@given(
    command=st.sampled_from(["table", "compare", "cost", "list", "report"]),
    before=st.lists(VALUE | st.sampled_from(["run.jsonl", "text", "resnet18"]), max_size=2),
    pairs=st.lists(st.tuples(FORM, VALUE), max_size=2),
    after=st.lists(VALUE, max_size=2),
)
@pytest.mark.usefixtures("files", "counted")
def test_any_arguments_of_what_reads_are_answered_or_one_line(call, command, before, pairs, after):
    place = ["--output", "text/page.html"] if command == "report" else []  # below a file: no page can be written
    call(command, *before, *flat(pairs), *place, "--", *after)


@settings(shared_folder, max_examples=100)
@given(arguments=st.lists(VALUE.filter(lambda text: text not in {"run", "report"}), min_size=1, max_size=4))
def test_any_words_are_one_line(call, arguments):
    assert call(*arguments).code == 2
