import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from results.errors import InputError
from results.schema.kinds import KINDS
from results.schema.types import Stored
from results.storage.lines import MAX_LINE_BYTES, encode
from results.storage.reader import check_run_id, load
from results.storage.writer import Writer, new_run_id


@pytest.fixture
def records(make_record):
    return [make_record(replicate=index) for index in range(4)]


@pytest.fixture
def path(tmp_path, write_run, records, make_static):
    return write_run(tmp_path / "runs", records, [make_static()])


def _lines(path):
    return path.read_bytes().splitlines(keepends=True)


def test_what_was_written_is_read(path, records, make_static):
    loaded = load(path)
    assert list(loaded) == records
    assert loaded.problems == ()
    assert loaded.files[0].complete
    assert loaded.static(loaded[3]) == make_static()


def test_a_static_cost_is_of_its_image(tmp_path, write_run, make_record, make_case, make_static):
    images = [{}, {"image_size": "224x160"}, {"in_channels": 1}]
    records = [make_record(make_case(**each)) for each in images]
    statics = [make_static(**each, macs=macs) for macs, each in enumerate(images, start=1)]
    loaded = load(write_run(tmp_path, records, statics))
    assert loaded.problems == ()
    assert [loaded.static(record).macs for record in loaded] == [1, 2, 3]


def test_a_record_without_static_cost_has_none(tmp_path, write_run, make_record, make_case, make_static):
    path = write_run(tmp_path, [make_record(make_case(image_size=160))], [make_static()])
    loaded = load(path)
    assert loaded.static(loaded[0]) is None


def test_equal_records_of_two_runs_know_their_own(tmp_path, write_run, make_record, make_run):
    for name in ("b", "a"):
        write_run(tmp_path, [make_record()], run=make_run(run_id=name, plan=[make_record().case]))
    loaded = load(tmp_path, tmp_path / "a.jsonl")
    assert loaded[0] == loaded[1]
    assert [loaded.run(record).id for record in loaded] == ["a", "b"]
    with pytest.raises(ValueError, match="none of these records"):
        loaded.run(make_record())


def test_the_cases_of_a_file_are_in_the_order_of_its_plan(tmp_path, write_run, make_record, make_case, make_run):
    cases = [make_case(batch_size=size) for size in (1, 2, 4)]
    records = [make_record(case, replicate=index) for index in range(2) for case in reversed(cases[:2])]
    again = make_record(cases[0], seed=9)
    (file,) = load(write_run(tmp_path, [*records, again], run=make_run(plan=cases))).files
    found = file.cases()
    assert list(found) == cases[:2]
    assert [sorted(one) for one in found.values()] == [[0, 1], [0, 1]]
    assert found[cases[0]][0] == again


def test_a_slice_is_records(path, records):
    assert load(path)[1:3] == tuple(records[1:3])


@pytest.mark.parametrize("place", [10, 40, 400])
def test_a_damaged_line_is_reported_and_the_rest_loads(path, records, place):
    lines = _lines(path)
    lines[3] = lines[3][:place] + b"#" + lines[3][place + 1 :]
    path.write_bytes(b"".join(lines))
    loaded = load(path)
    assert list(loaded) == [records[0], *records[2:]]
    assert re.search(r"a1b2\.jsonl line 4: ", loaded.problems[0])
    assert "counts 4 records, 3 could be read" in loaded.problems[1]


def test_a_lost_line_is_noticed(path, records):
    lines = _lines(path)
    path.write_bytes(b"".join(lines[:3] + lines[4:]))
    loaded = load(path)
    assert list(loaded) == [records[0], *records[2:]]
    assert "line 4: 1 line is missing before it (it was line 5)" in loaded.problems[0]


def test_a_repeated_line_is_left_out(path, records):
    lines = _lines(path)
    path.write_bytes(b"".join([*lines[:4], lines[3], *lines[4:]]))
    loaded = load(path)
    assert list(loaded) == records
    assert [problem.split(": ", 1)[1] for problem in loaded.problems] == ["repeats line 4; left out"]


def test_an_overlong_line_is_reported_and_the_rest_loads(path, records):
    lines = _lines(path)
    lines[3] = b"x" * (MAX_LINE_BYTES + 1000) + b"\n"
    path.write_bytes(b"".join(lines))
    loaded = load(path)
    assert list(loaded) == [records[0], *records[2:]]
    assert "line 4: longer than 64 MiB" in loaded.problems[0]


def test_a_missing_end_is_reported(tmp_path, write_run, records):
    loaded = load(write_run(tmp_path, records, status=None))
    assert list(loaded) == records
    assert not loaded.files[0].complete
    assert "no end line" in loaded.problems[0]


def test_an_interrupted_run_is_not_complete(tmp_path, write_run, records):
    loaded = load(write_run(tmp_path, records, status="interrupted"))
    assert not loaded.files[0].complete
    assert "interrupted: 4 of 1 planned" in loaded.problems[0]


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_torn_last_line_costs_only_itself(tmp_path, write_run, records, cut):
    path = write_run(tmp_path, records, status=None)
    path.write_bytes(path.read_bytes()[:-cut])
    loaded = load(path)
    # A lost newline alone loses nothing.
    assert list(loaded) == (records if cut == 1 else records[:-1])
    assert cut == 1 or "line 5: torn" in loaded.problems[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: this is no run file"),
        (b"hello\n", "line 1: this is no run file"),
        (b'{"name": 1}\n', "line 1: this is no run file"),
        (b'{"crc32":"00000000","line":1,"header":{}}\n', "line 1: its header is damaged"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "line 1: this is no run file"),
        (b"x" * (MAX_LINE_BYTES + 9), "line 1: this is no run file"),
    ],
)
def test_what_is_no_run_file_is_one_line(tmp_path, content, message):
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_lost_first_lines_are_named(path):
    path.write_bytes(b"".join(_lines(path)[1:]))
    with pytest.raises(InputError, match="line 1: the header of the run is missing"):
        load(path)


def test_a_header_with_an_unsafe_id_is_refused(tmp_path, make_run):
    path = tmp_path / "x.jsonl"
    path.write_bytes(encode(1, make_run(run_id="../../etc")))
    with pytest.raises(InputError, match="line 1: run id"):
        load(path)


def test_paths_that_hold_nothing_are_named(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        load(tmp_path / "gone.jsonl")
    with pytest.raises(InputError, match=r"no run file .* in "):
        load(tmp_path)
    with pytest.raises(InputError, match="no run file given"):
        load()


def test_a_copy_of_a_run_is_not_counted_twice(path):
    (path.parent / "copy.jsonl").write_bytes(path.read_bytes())
    with pytest.raises(InputError, match="hold the same run"):
        load(path.parent)


@pytest.mark.parametrize(
    ("change", "told"),
    [({"torch": "3.0"}, "torch 2.14.1 became 3.0"), ({"cgroup_cpus": 1.0}, "cgroup_cpus 2.0 became 1.0")],
)
def test_other_conditions_after_a_break_are_told(tmp_path, write_run, records, make_run, change, told):
    path = write_run(tmp_path, records, status=None)
    changed = structs.replace(make_run().environment, **change)
    writer, _ = Writer.resume(path, started="2026-11-23T00:00:00Z", environment=changed)
    writer.end("complete")
    assert any(told in problem for problem in load(path).problems)


@pytest.mark.parametrize("run_id", ["", ".", "..", "a/b", "a\nb", "a b", "x" * 65, "ü"])
def test_unsafe_ids_are_refused(run_id):
    with pytest.raises(InputError):
        check_run_id(run_id)


@given(suite=st.text(max_size=100))
def test_every_suite_gives_a_safe_id_that_sorts_by_time(suite):
    early = new_run_id(dt.datetime(2026, 11, 22, 0, 38, 12, tzinfo=dt.UTC), suite)
    late = new_run_id(dt.datetime(2026, 11, 22, 0, 38, 13, tzinfo=dt.UTC), suite)
    check_run_id(early)
    assert early < late
    assert early.startswith("20261122-003812-")


class Profile(Stored, frozen=True, kw_only=True):
    seconds: dict[str, float]


@pytest.fixture
def profiled(tmp_path, make_run, make_record, monkeypatch):
    """A run file that was cut off after a record and a profile, which a newer version can write."""
    monkeypatch.setitem(KINDS, "profile", Profile)
    with Writer.create(tmp_path, make_run()) as writer:
        writer.append(make_record())
        writer.append(Profile(seconds={"conv1": 0.5}))
    return writer.path


def test_a_kind_that_is_declared_is_read_by_its_name(profiled, make_record):
    (file,) = load(profiled).files
    assert file.bodies("profile") == (Profile(seconds={"conv1": 0.5}),)
    assert file.bodies("record") == (make_record(),)
    assert file.bodies("curve") == ()


def test_a_kind_that_is_unknown_is_kept_named_and_no_damage(profiled, make_run, make_record, monkeypatch):
    monkeypatch.delitem(KINDS, "profile")
    (file,) = load(profiled).files
    assert file.records == (make_record(),)
    assert file.bodies("profile") == ({"seconds": {"conv1": 0.5}},)
    assert [problem for problem in file.problems if "no end line" not in problem] == []
    assert [note.split(": ", 1)[1] for note in file.notes] == [
        "1 line of kind 'profile', which is unknown to this version; kept"
    ]
    before = profiled.read_bytes()
    writer, _ = Writer.resume(profiled, started="2026-11-22T00:38:12Z", environment=make_run().environment)
    with writer:
        writer.append(make_record(replicate=1))
        writer.end("complete")
    assert profiled.read_bytes().startswith(before)
    (file,) = load(profiled).files
    assert file.complete
    assert len(file.records) == 2
    assert file.problems == ()
    assert len(file.notes) == 1
