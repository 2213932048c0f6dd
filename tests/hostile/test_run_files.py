"""Run files that were made to hurt, by hand, through `table`, `compare` and `report`."""

import gzip
import json
import os

import pytest

from results.schema.lines.run import SCHEMA_VERSION

NEWER = SCHEMA_VERSION + 1


def written(folder, contents, sealed, name="run.jsonl"):
    path = folder / name
    path.write_bytes(b"".join(map(sealed, contents)))
    return path


# What is no run file at all.

BYTES = {
    "empty": (b"", "this is no run file"),
    "newline": (b"\n", "this is no run file"),
    "text": (b"hello\n", "this is no run file"),
    "nul": (b"\0" * 4096, "this is no run file"),
    "gzip": (gzip.compress(b"{}"), "this is no run file"),
    "an empty object": (b"{}\n", "this is no run file"),
    "a pickle": (b"cos\nsystem\n(S'true'\ntR.", "this is no run file"),
    "a header of nothing": (b'{"crc32":"00000000",', "its header is damaged"),
    "escapes": (b"\x1b]0;title\x07\x1b[2J\n", "this is no run file"),
    "upper case": (b'{"crc32":"ABCDEF01","line":1}\n', "its header is damaged"),
    "a space": (b' {"crc32":"00000000","line":1}\n', "this is no run file"),
}


@pytest.mark.parametrize("command", ["table", "report", "compare"])
@pytest.mark.parametrize(("content", "message"), BYTES.values(), ids=BYTES)
def test_what_is_no_run_file_is_one_line(refused, folder, command, content, message):
    (folder / "run.jsonl").write_bytes(content)
    refused(message, command, "run.jsonl", *(["run.jsonl"] if command == "compare" else []))


ENCODINGS = {
    "BOM": lambda data: b"\xef\xbb\xbf" + data,
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "gzip": gzip.compress,
    "a line before": lambda data: b"\n" + data,
    "one byte short": lambda data: data[1:],
}


@pytest.mark.parametrize("change", ENCODINGS.values(), ids=ENCODINGS)
def test_a_run_file_in_another_wrapping_is_one_line(refused, folder, run_lines, sealed, change):
    path = written(folder, run_lines, sealed)
    path.write_bytes(change(path.read_bytes()))
    refused("this is no run file", "table", path)


# What is no file at all.


def test_a_pipe_is_not_waited_for(refused, folder):
    os.mkfifo(folder / "run.jsonl")
    refused("is no regular file", "table", "run.jsonl")
    refused("is no regular file", "table", folder)
    refused("is no regular file", "report", "run.jsonl")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/full"])
def test_a_device_is_not_read(refused, folder, device):
    refused("is no regular file", "table", device)
    (folder / "run.jsonl").symlink_to(device)
    refused("is no regular file", "compare", "run.jsonl", "run.jsonl")


def test_a_loop_of_links_is_one_line(refused, folder):
    (folder / "run.jsonl").symlink_to(folder / "run.jsonl")
    refused("symbolic links", "table", "run.jsonl")
    refused("symbolic links", "report", folder)


def test_a_folder_in_place_of_a_file_and_a_folder_without_one(refused, folder):
    refused("no run file (*.jsonl)", "table", folder)
    (folder / "run.jsonl").mkdir()
    refused("no run file (*.jsonl)", "table", "run.jsonl")
    refused("is no regular file", "table", folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_one_line(refused, folder, run_lines, sealed):
    written(folder, run_lines, sealed).chmod(0)
    refused("is not readable", "table", "run.jsonl")


@pytest.mark.parametrize(
    "name", ["x" * 300, "../none", "a\udcffb", "\x1b[31mred", "none\nerror: fake", "-", "~", "a\u202eb"]
)
def test_a_name_that_leads_nowhere_is_one_line(refused, name):
    refused("", "table", "--", name)


@pytest.mark.parametrize("name", ["\x1b[31mred.jsonl", "a\u202eb.jsonl", "a\nb.jsonl", "a\udcff.jsonl", "=cmd().jsonl"])
def test_a_hostile_file_name_is_shown_and_no_more(call, call_writing, folder, run_lines, sealed, name):
    path = written(folder, run_lines[:-1], sealed, name)
    called = call("table", path)
    assert (called.code, called.err.count("\n")) == (0, 1)
    assert "no end line" in called.err
    assert call_writing("report", path, "-o", folder / f"{name}.html").code == 0


# Headers that must stop everything.

HEADERS = {
    "future schema": (f'{{"schema": {NEWER}}}', f"written by a newer resnet-bench (schema {NEWER}"),
    "far future": ('{"schema": 99999999999999999999}', "written by a newer resnet-bench"),
    "schema zero": ('{"schema": 0}', "header.schema"),
    "schema negative": ('{"schema": -1}', "header.schema"),
    "schema as text": ('{"schema": "2"}', "header.schema"),
    "schema true": ('{"schema": true}', "header.schema"),
    "schema null": ('{"schema": null}', "header.schema"),
    "schema a fraction": ('{"schema": 1.5}', "header.schema"),
    "schema infinite": ('{"schema": 1e400}', "header.schema"),
    "id with a slash": ('{"id": "a/b"}', "run id 'a/b' is not"),
    "id upwards": ('{"id": ".."}', "run id '..' is not"),
    "id here": ('{"id": "."}', "run id '.' is not"),
    "id absolute": ('{"id": "/etc/passwd"}', "run id '/etc/passwd' is not"),
    "id too long": ('{"id": "' + "a" * 65 + '"}', "is not 1 to 64"),
    "id beyond any name": ('{"id": "' + "a" * 200 + '"}', "header.id"),
    "id empty": ('{"id": ""}', "header.id"),
    "id with NUL": (r'{"id": "a\u0000b"}', "header.id"),
    "id with escapes": (r'{"id": "\u001b[31m"}', "header.id"),
    "id a number": ('{"id": 7}', "header.id"),
    "id with a lone surrogate": (r'{"id": "\ud800"}', "line 1: its header is damaged"),
    "id of other digits": (r'{"id": "٣"}', "is not 1 to 64"),
    "no plan": ('{"plan": null}', "header.plan"),
    "a plan of words": ('{"plan": "everything"}', "header.plan"),
    "replicates as text": ('{"settings": {"replicates": "1"}}', "header.settings"),
    "target NaN": (
        '{"settings": {"replicates":1,"target":NaN,"budget_s":1,"timeout_s":1,"time_limit_s":null}}',
        "its header is damaged",
    ),
    "negative budget": (
        '{"settings": {"replicates":1,"target":0.1,"budget_s":-1,"timeout_s":1,"time_limit_s":null}}',
        "header.settings.budget_s",
    ),
    "a timeout that no clock can wait": (
        '{"settings": {"replicates":1,"target":0.1,"budget_s":1,"timeout_s":1e300,"time_limit_s":null}}',
        "header.settings.timeout_s",
    ),
    "unknown key": ('{"novelty": 1}', "header.novelty"),
}


@pytest.mark.parametrize(("change", "message"), HEADERS.values(), ids=HEADERS)
def test_a_header_that_cannot_be_believed_stops_everything(refused, folder, run_lines, sealed, change, message):
    for key in json.loads(change):
        run_lines[0]["body"].pop(key, None)
    header = json.dumps(run_lines[0]).removesuffix("}}")
    path = folder / "run.jsonl"
    # As text, for json.dumps would not write 1e400.
    path.write_bytes(sealed(f"{header}, {change[1:-1]}}}}}".encode()) + b"".join(map(sealed, run_lines[1:])))
    refused(message, "table", path)
    refused(message, "report", path)


# Lines that are left out, with a warning.

RECORDS = {
    "negative time": ("step_s", [-0.05], "step_s"),
    "zero time": ("step_s", [0], "step_s"),
    "a time that is text": ("step_s", ["0.05"], "step_s"),
    "a time that is true": ("step_s", [True], "step_s"),
    "a time that is null": ("step_s", [None], "step_s"),
    "a time beyond all clocks": ("step_s", [1e300], "step_s"),
    "a time below all clocks": ("step_s", [5e-324], "step_s"),
    "times that are nested": ("step_s", [[0.05]], "step_s"),
    "times that are an object": ("step_s", {"0": 0.05}, "step_s"),
    "one step more": ("step_s", [0.05] * 17, "entries for 17 steps"),
    "no steps": ("step_s", [], "entries for 0 steps"),
    "a negative turn": ("turn", [-1] * 16, "turn"),
    "a turn backwards": ("turn", [*range(15, -1, -1)], "goes backwards"),
    "a turn too far": ("turn", [10**9] * 16, "turn 1000000000 of 8"),
    "a turn that is a fraction": ("turn", [0.5] * 16, "turn"),
    "warm-up beyond the end": ("warmup", 17, "warmup: 17 of 16 steps"),
    "negative warm-up": ("warmup", -1, "warmup"),
    "warm-up true": ("warmup", True, "warmup"),
    "steady as a number": ("steady", 1, "steady"),
    "an unknown series": ("joules", [1], "joules"),
    "a baseline of one entry": ("baseline_s", [0.05], "baseline_s: 1 entries"),
}


@pytest.mark.parametrize(("key", "value", "message"), RECORDS.values(), ids=RECORDS)
def test_a_record_that_cannot_be_is_left_out_with_its_line(call, folder, run_lines, sealed, key, value, message):
    run_lines[2]["body"]["samples"][key] = value
    called = call("table", written(folder, run_lines, sealed), "--format", "json")
    assert called.code == 0
    assert "line 3: " in called.err
    assert message in called.err
    assert [row["layout"] for row in json.loads(called.out)] == ["nhwc", "nchw"]


DAMAGE = {
    "10,000 deep": (b'"line":3,"record":' + b"[" * 10_000 + b"]" * 10_000 + b"}", ("too deeply", "not JSON")),
    "10,000 deep objects": (b'"line":3,"record":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001, ("too deeply",)),
    "an integer of 5,000 digits": (b'"line":' + b"9" * 5_000 + b"}", ("out of range", "not JSON")),
    "NaN": (b'"line":NaN}', ("line",)),
    "Infinity": (b'"line":Infinity}', ("line",)),
    "1e400": (b'"line":1e400}', ("line",)),
    "a negative line": (
        b'"line":-1,"end":{"status":"complete","records":1}}',
        ("line: should be a whole number >= 1",),
    ),
    "a line as text": (b'"line":"3","end":{"status":"complete","records":1}}', ("line",)),
    "two bodies": (
        b'"line":3,"end":{"status":"complete","records":1},"record":null,"static":null}',
        ("holds 3 bodies",),
    ),
    "a body and a kind of old": (
        b'"line":3,"kind":"end","end":{"status":"complete","records":1}}',
        ("without a body",),
    ),
    "a body without a kind": (b'"line":3,"body":{"status":"complete","records":1}}', ("without a kind",)),
    "a kind that is none": (b'"line":3,"kind":"\\u001b","body":{}}', ("kind: should be text",)),
    "no body": (b'"line":3}', ("holds 0 bodies",)),
    "an end that is none": (
        b'"line":3,"end":{"status":"complete","records":-5}}',
        ("end.records: should be a whole number >= 0",),
    ),
    "not UTF-8": (b'"line":3,"\xff\xfe":1}', ("not JSON", "line")),
    "a lone surrogate": (b'"line":3,"end":{"status":"\\ud800","records":1}}', ("line", "surrogate")),
    "two objects": (b'"line":3}{}', ("not JSON",)),
    "comment": (b'"line":3,/**/"end":null}', ("not JSON",)),
    "cut": (b'"line":3,"end":{"status":"comp', ("not JSON",)),
}


@pytest.mark.parametrize(("line", "messages"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_line_is_named_and_the_rest_is_read(call, folder, run_lines, sealed, line, messages):
    path = folder / "run.jsonl"
    lines = [*map(sealed, run_lines)]
    lines[2] = sealed(line)
    path.write_bytes(b"".join(lines))
    called = call("table", path, "--format", "json")
    assert called.code == 0
    assert any(message in called.err for message in messages)
    assert len(json.loads(called.out)) == 2


def test_what_surrounds_lines_is_no_obstacle(call, folder, run_lines, sealed):
    path = written(folder, run_lines, sealed)
    sound = call("table", path, "--format", "json")
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    assert call("table", path, "--format", "json").out == sound.out
    path.write_bytes(b"".join(sealed(line) for line in run_lines[:1]))
    assert json.loads(call("table", path, "--format", "json").out) == []
    path.write_bytes(b"".join(sealed(line) for line in [run_lines[0], *run_lines]))
    called = call("table", path)
    assert "line 2: repeats line 1" in called.err


def test_line_ends_of_another_system_are_damage_that_is_named(refused, folder, run_lines, sealed):
    path = written(folder, run_lines, sealed)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    refused("checksum does not match", "table", path)


def test_a_line_of_more_than_64_mib_is_skipped(call, folder, run_lines, sealed):
    path = folder / "run.jsonl"
    with path.open("wb") as stream:
        stream.write(b"".join(map(sealed, run_lines[:3])))
        stream.seek(80 * 2**20, os.SEEK_CUR)  # a hole: it takes no room on the disk
        stream.write(b"\n" + b"".join(map(sealed, run_lines[3:])))
    called = call("table", path, "--format", "json")
    assert "line 4: longer than 64 MiB" in called.err
    assert len(json.loads(called.out)) == 3


def test_a_file_of_damaged_lines_does_not_drown_the_reader(call, folder, run_lines, sealed):
    path = folder / "run.jsonl"
    path.write_bytes(sealed(run_lines[0]) + b"\n" * 50_000)
    called = call("table", path)
    assert called.code == 0
    assert called.err.count("\n") < 200
    assert "49,900 more problems of this kind" in called.err


def test_a_line_far_ahead_counts_those_that_are_missing(call, folder, run_lines, sealed):
    run_lines[-1]["line"] = 10**12
    assert "999999999994 lines are missing before it" in call("table", written(folder, run_lines, sealed)).err


def test_records_of_other_cases_than_the_plan_are_shown(call, call_writing, folder, run_lines, sealed):
    run_lines[0]["body"]["plan"] = []
    path = written(folder, run_lines, sealed)
    assert len(json.loads(call("table", path, "--format", "json").out)) == 3
    assert call_writing("report", path, "-o", folder / "page.html").code == 0
    assert call("compare", path, path).code == 2
