"""Suites that were made to hurt, by hand and by Hypothesis, through ``run SUITE --dry-run`` up to the cases."""

import contextlib
import datetime
import json
import math
import os
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.suites.suite import MOST_CASES, custom_suite, expand, load_suite
from bench.suites.values import DEFAULTS
from results.errors import InputError
from results.schema.axes import AXES

shared_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

pytestmark = pytest.mark.usefixtures("unmeasured")

CASE = '[[cases]]\nmodel = "resnet18"\n'
MANY = ", ".join(map(str, range(1, 1001)))

SUITES = {
    "empty": ("", "no [[cases]] block"),
    "not TOML": ("{", "not TOML"),
    "JSON": ('{"cases": [{"model": "resnet18"}]}', "not TOML"),
    "an unclosed text": ('description = "x', "not TOML"),
    "a carriage return": ("a = 1\rb = 2", "not TOML"),
    "NUL": (f"{CASE}\0", "not TOML"),
    "escapes": ("\x1b[31m = 1", "not TOML"),
    "bidi": ("\u202e = 1", "not TOML"),
    "a key twice": (f'{CASE}model = "resnet50"\n', "not TOML"),
    "a table twice": (f"[settings]\n[settings]\n{CASE}", "not TOML"),
    "deep arrays": ("x = " + "[" * 9_000, "not TOML"),
    "deep tables": ("x = " + "{a=" * 3_000, "not TOML"),
    "deep arrays that close": ("x = " + "[" * 4_900 + "]" * 4_900, "not TOML"),
    "a deep dotted key": (f"{CASE}batch_size.cpu{'.a' * 4_900} = 1", "batch_size: {'a': {'a':"),
    "a deep dotted description": (f"description{'.a' * 4_900} = 1\n{CASE}", "description: {'a': {'a':"),
    "a deep dotted target": (f"{CASE}[settings]\ntarget.cpu{'.a' * 4_900} = 1", "is no fraction"),
    "a deeper dotted key": (f"x{'.a' * 49_000} = 1", "longer line"),
    "a megabyte": (f"# {'x' * 1_000_000}", "larger than any suite"),
    "many lines": ("#\n" * 100_000, "larger than any suite"),
    "an unknown key": (f"cores = 4\n{CASE}", "unknown key 'cores'"),
    "an unknown key that steers": (f'"\\u001b[31m\\u202e" = 4\n{CASE}', "unknown key '\\x1b[31m\\u202e'"),
    "an unknown axis": (f"{CASE}modle = 1", "unknown key 'modle'; did you mean 'model'?"),
    "the device as an axis": (f'{CASE}device = "cpu"', "unknown key 'device'"),
    "cases that are no list": ("cases = 3", "no [[cases]] block"),
    "cases that are a table": ("[cases]\nmodel = 'resnet18'", "no [[cases]] block"),
    "cases of numbers": ("cases = [1, 2]", "[[cases]] 1: not a table"),
    "no model": ("[[cases]]\nbatch_size = 1", "model: missing"),
    "a model that is a number": ("[[cases]]\nmodel = 50", "model: 50 should be text"),
    "a model that is true": ("[[cases]]\nmodel = true", "model: True should be text"),
    "a model upwards": ('[[cases]]\nmodel = "../../etc/passwd"', "unknown model '../../etc/passwd'"),
    "a model with NUL": ('[[cases]]\nmodel = "resnet18\\u0000"', "model: 'resnet18\\x00'"),
    "a model of another module": ('[[cases]]\nmodel = "os.system"', "unknown model 'os.system'"),
    "a model that is empty": ('[[cases]]\nmodel = ""', "model: ''"),
    "a model of 9,000 letters": (f'[[cases]]\nmodel = "{"x" * 9_000}"', "model: 'xxx"),
    "no value": (f"{CASE}batch_size = []", "batch_size: empty"),
    "a batch of 0": (f"{CASE}batch_size = 0", "batch_size: 0 should be a whole number >= 1"),
    "a batch below 0": (f"{CASE}batch_size = -8", "batch_size: -8 should be a whole number >= 1"),
    "a batch and a half": (f"{CASE}batch_size = 1.5", "batch_size: 1.5 should be a whole number"),
    "a batch that is true": (f"{CASE}batch_size = true", "batch_size: True should be a whole number"),
    "a batch as text": (f'{CASE}batch_size = "8"', "batch_size: '8' should be a whole number"),
    "a batch of 2**62": (
        f"{CASE}batch_size = {2**62}",
        "batch_size: 4611686018427387904 should be a whole number <= 2147483648",
    ),
    "a batch of 400 digits": (f"{CASE}batch_size = {'9' * 400}", "batch_size: 999"),
    "a batch of 5,000 digits": (f"{CASE}batch_size = {'9' * 5_000}", "not TOML"),
    "a batch of 8,000 hex digits": (f"{CASE}batch_size = 0x{'f' * 8_000}", "more digits than can be shown"),
    "a date": (f"{CASE}batch_size = 1979-05-27", "batch_size: datetime.date(1979, 5, 27)"),
    "lists in lists": (f"{CASE}batch_size = [[1, 2], [3]]", "batch_size: [1, 2] should be a whole number"),
    "an image of a pixel": (f"{CASE}image_size = 1", "too small for 'resnet18'"),
    "another kind of device": (f"{CASE}batch_size = {{ gpu = 1 }}", "unknown kind of device 'gpu'"),
    "no kind of device": (f"{CASE}batch_size = {{}}", "no case for device 'cpu'"),
    "another precision": (f'{CASE}precision = "fp8"', "unknown precision 'fp8'"),
    "settings that are no table": (f"settings = 3\n{CASE}", "settings: not a table"),
    "settings twice": (f"[[settings]]\ntarget = 1\n{CASE}", "settings: not a table"),
    "an unknown setting": (f"{CASE}[settings]\nseed = 1", "unknown key 'seed'"),
    "a target that is no number": (f"{CASE}[settings]\ntarget = nan", "nan is no fraction"),
    "an infinite target": (f"{CASE}[settings]\ntarget = inf", "inf is no fraction"),
    "a target below 0": (f"{CASE}[settings]\ntarget = -0.01", "-0.01 is no fraction"),
    "a target of 100 %": (f'{CASE}[settings]\ntarget = "100%"', "'100%' is no fraction"),
    "a target of 8,000 hex digits": (f"{CASE}[settings]\ntarget = 0x{'f' * 8_000}", "is no fraction"),
    "a negative budget": (f"{CASE}[settings]\nbudget_s = -1", "budget_s: -1 should be a number > 0"),
    "a budget of 0": (f"{CASE}[settings]\nbudget_s = 0", "budget_s: 0 should be a number > 0"),
    "a budget of 1e400": (f"{CASE}[settings]\nbudget_s = 1e400", "budget_s: inf should be a number <= 1000000000"),
    "a budget of 400 digits": (f"{CASE}[settings]\nbudget_s = 1{'0' * 400}", "budget_s: 1000"),
    "a budget as text": (f'{CASE}[settings]\nbudget_s = "5"', "budget_s: '5' should be a number"),
    "a timeout that no clock can wait": (
        f"{CASE}[settings]\ntimeout_s = 1e300",
        "timeout_s: 1e+300 should be a number <= 1000000000",
    ),
    "half a replicate": (f"{CASE}[settings]\nreplicates = 0.5", "replicates: 0.5 should be a whole number"),
    "a description of 5,000 letters": (f'description = "{"x" * 5_000}"\n{CASE}', "should be text of length <= 4096"),
    "a description that is a list": (f"description = []\n{CASE}", "description: [] should be text"),
}


@pytest.mark.parametrize(("text", "message"), SUITES.values(), ids=SUITES)
def test_a_suite_that_is_none_is_one_line(refused, folder, text, message):
    (folder / "mine.toml").write_bytes(text.encode())
    refused(message, "run", "mine.toml", "--dry-run", "--device", "cpu")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "not TOML"),
        (CASE.encode("utf-16"), "not TOML"),
        (CASE.encode("utf-8-sig"), "not TOML"),
        (b"\x1f\x8b\x08", "not TOML"),
        (b'description = "\xed\xa0\x80"\n', "not TOML"),
    ],
)
def test_a_suite_that_is_no_text_is_one_line(refused, folder, content, message):
    (folder / "mine.toml").write_bytes(content)
    refused(message, "run", "mine.toml", "--dry-run")


BOMBS = {
    "10,000,000 of three axes": f"{CASE}batch_size = [{MANY}]\nimage_size = [{MANY}]\nthreads = {[*range(1, 11)]}",
    "a thousand to the third": f"{CASE}batch_size = [{MANY}]\nimage_size = [{MANY}]\nthreads = [{MANY}]",
    "many blocks": f"{CASE}batch_size = [{MANY}]\nthreads = {[*range(1, 13)]}\n" * 9,
    "on accelerators only": (
        f"{CASE}batch_size = {{ cpu = 1, accelerator = [{MANY}] }}\nthreads = {{ cpu = 1, accelerator = [{MANY}] }}"
    ),
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_more_cases_than_anyone_can_measure_are_refused_before_they_are_multiplied_out(
    refused, folder, monkeypatch, text
):
    """To multiply out ten million takes a minute, and to hold them, gigabytes."""

    def multiplied(*_):
        raise AssertionError("a case was made")

    monkeypatch.setattr("bench.suites.suite._case", multiplied)
    (folder / "mine.toml").write_text(text)
    refused(f"cases are more than the {MOST_CASES:,}", "run", "mine.toml", "--dry-run", "--device", "cpu")


def test_more_cases_by_options_are_refused_too(refused):
    thousand = MANY.replace(" ", "")
    message = f"1,000,000,000 cases are more than the {MOST_CASES:,}"
    options = [part for axis in ("--batch-size", "--image-size", "--threads") for part in (axis, thousand)]
    refused(message, "run", "--model", "resnet18", *options, "--dry-run", "--device", "cpu")


def test_a_suite_that_is_a_pipe_or_a_device_is_not_read(refused, folder):
    os.mkfifo(folder / "pipe.toml")
    refused("a device or a pipe", "run", "pipe.toml", "--dry-run")
    (folder / "zero.toml").symlink_to("/dev/zero")
    refused("a device or a pipe", "run", "zero.toml", "--dry-run")
    (folder / "loop.toml").symlink_to("loop.toml")
    refused("symbolic links", "run", "loop.toml", "--dry-run")
    (folder / "folder.toml").mkdir()
    refused("Is a directory", "run", "folder.toml", "--dry-run")


@pytest.mark.parametrize(
    "name", ["\x1b[31m.toml", "a\u202eb.toml", "=cmd.toml", "a\nb.toml", "a\udcff.toml", "...toml"]
)
def test_the_name_of_a_suite_becomes_no_name_of_another_file(call, call_writing, folder, name):
    (folder / name).write_text(f"{CASE}[settings]\nbudget_s = 1")
    assert call("run", folder / name, "--dry-run", "--device", "cpu").code == 0
    called = call_writing("run", folder / name, "--device", "cpu", "--out", "runs", "--no-report")
    assert called.code == 3
    assert sorted(entry.name for entry in (folder / "runs").iterdir()) == ["planned.jsonl"]


# ---------------------------------------------------------------------------------------------------------- Hypothesis


def toml(value):  # noqa: PLR0911 - TOML has that many types
    """`value` as TOML on one line."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case float():
            return repr(value)
        case dict():
            return "{" + ", ".join(f"{toml(key)} = {toml(part)}" for key, part in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case datetime.date():
            return value.isoformat()
        case _:
            return str(value)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALAR = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    TEXT,
    st.dates(),
    st.sampled_from([0, 1, 2, 8, -1, 2**31, 2**31 + 1, 10**400, math.nan, math.inf, "1%", "0.5", "all", "resnet18"]),
    st.sampled_from(["../x", "a/b", "\x1b[31m", "\u202e", "=cmd", "<script>", "x" * 129, "fp32", "compile", "nhwc"]),
)
ANY = st.recursive(
    SCALAR,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(TEXT | st.sampled_from(["cpu", "accelerator"]), inner, max_size=3)
    ),
    max_leaves=8,
)
BLOCK = st.dictionaries(st.sampled_from([*AXES, "device", "models"]) | TEXT, ANY, max_size=4)
SETTINGS = st.dictionaries(st.sampled_from([*DEFAULTS["cpu"].__struct_fields__, "seed"]) | TEXT, ANY, max_size=4)
DOCUMENT = st.fixed_dictionaries(
    {"cases": st.lists(BLOCK.map(lambda block: {"model": "resnet18", **block}), max_size=3) | ANY},
    optional={"settings": SETTINGS | ANY, "description": TEXT | ANY, "x": ANY},
)


def written(folder, document):
    path = folder / "mine.toml"
    text = "".join(f"{toml(key)} = {toml(value)}\n" for key, value in document.items())
    path.write_text(text, encoding="utf-8", newline="")
    return path


@settings(shared_folder, max_examples=250)
@given(document=DOCUMENT | st.dictionaries(TEXT, ANY, max_size=4))
def test_any_document_is_a_suite_or_one_line(folder, document):
    try:
        suite = load_suite(written(folder, document))
    except InputError:
        return
    assert suite.blocks
    assert set(suite.name) <= {*string.ascii_letters, *string.digits, "_", "-"}


@settings(shared_folder, max_examples=60)
@given(document=DOCUMENT)
def test_any_document_on_the_command_line_is_planned_or_one_line(call, folder, document):
    path = written(folder, document)
    called = call("run", path, "--dry-run", "--device", "cpu")
    assert called.code in {0, 2}
    if called.code == 0:
        assert called.out.splitlines() == [case.key for case in expand(load_suite(path), device="cpu", threads=2)]


@settings(max_examples=200)
@given(axes=st.dictionaries(st.sampled_from([*AXES]) | TEXT, ANY, max_size=4))
def test_any_axes_are_a_suite_or_one_line(axes):
    with contextlib.suppress(InputError):
        custom_suite({"model": ["resnet18"], **axes})


@settings(shared_folder, max_examples=60)
@given(content=st.binary(max_size=100) | st.text(alphabet="[]{}=.,\"'#\n ab1-", max_size=60).map(str.encode))
def test_any_bytes_are_no_suite(refused, folder, content):
    (folder / "mine.toml").write_bytes(content)
    refused("mine.toml: ", "run", "mine.toml", "--dry-run")
