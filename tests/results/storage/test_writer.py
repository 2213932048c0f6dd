import errno
import os
import subprocess
import sys

import pytest

from results.errors import InputError
from results.storage.reader import load
from results.storage.writer import Writer

_RESUMED = {"started": "2026-11-23T00:00:00Z"}


@pytest.fixture
def records(make_record):
    return [make_record(replicate=index) for index in range(4)]


@pytest.fixture
def environment(make_run):
    return make_run().environment


def test_an_existing_run_is_never_overwritten(tmp_path, write_run, records):
    path = write_run(tmp_path, records)
    before = path.read_bytes()
    with pytest.raises(InputError, match="is there already"):
        write_run(tmp_path, records)
    assert path.read_bytes() == before


def test_an_unsafe_id_writes_nothing(tmp_path, make_run):
    with pytest.raises(InputError, match="run id"):
        Writer.create(tmp_path / "runs", make_run(run_id="../x"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_one_line(tmp_path, make_run):
    (tmp_path / "runs").write_text("x")
    with pytest.raises(InputError, match="--out"):
        Writer.create(tmp_path / "runs", make_run())
    with pytest.raises(InputError, match="cannot write into"):
        Writer.create(tmp_path / "runs" / "deeper", make_run())


def test_an_unwritable_folder_is_one_line(make_run):
    # Not even root may make a file in /proc.
    with pytest.raises(InputError, match=r"cannot write into /proc: .*; choose another folder with --out"):
        Writer.create("/proc", make_run())


def test_a_full_disk_at_the_start_leaves_no_file(tmp_path, make_run, monkeypatch):
    monkeypatch.setattr(os, "fsync", _full)
    with pytest.raises(InputError, match="No space left"):
        Writer.create(tmp_path, make_run())
    assert list(tmp_path.iterdir()) == []


def _full(_descriptor):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


_FILL = """
import pathlib, resource, sys
from results.errors import InputError
from results.storage.reader import load
from results.storage.writer import Writer
source = load(sys.argv[1])
writer = Writer.create(sys.argv[2], source.files[0].run)
written = 0
size = writer.path.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 12_000, resource.RLIM_INFINITY))
try:
    while True:
        writer.append(source[written])
        written += 1
except InputError as error:
    print(written, error)
"""


def test_a_disk_that_fills_keeps_what_was_measured(tmp_path, write_run, make_record, environment):
    records = [make_record(replicate=index) for index in range(12)]
    source = write_run(tmp_path / "source", records)
    done = subprocess.run(
        [sys.executable, "-c", _FILL, source, tmp_path / "small"],
        capture_output=True,
        text=True,
        check=True,
    )
    count, message = done.stdout.split(" ", 1)
    assert 0 < int(count) < len(records)
    assert "File too large; what was measured before is kept" in message
    (path,) = (tmp_path / "small").iterdir()
    assert path.read_bytes().endswith(b"\n")
    assert list(load(path)) == records[: int(count)]
    writer, _ = Writer.resume(path, **_RESUMED, environment=environment)
    for record in records[int(count) :]:
        writer.append(record)
    writer.end("complete")
    assert (list(load(path)), load(path).problems) == (records, ())


@pytest.mark.parametrize("ending", [None, "interrupted"])
@pytest.mark.parametrize("cut", [0, 1, 30])
def test_a_run_goes_on_where_it_stopped(tmp_path, write_run, records, environment, ending, cut):
    path = write_run(tmp_path, records[:2], status=ending)
    if cut:
        path.write_bytes(path.read_bytes()[:-cut])
    # A cut of 30 tears the last line: with an end line that is lost, without one the last record.
    kept = records[:1] if cut == 30 and ending is None else records[:2]
    writer, file = Writer.resume(path, **_RESUMED, environment=environment)
    assert list(file.records) == kept
    for record in records[len(kept) :]:
        writer.append(record)
    writer.end("complete")
    loaded = load(path)
    assert list(loaded) == records
    assert loaded.files[0].complete
    assert loaded.problems == ()


def test_a_complete_run_is_not_resumed(tmp_path, write_run, records, environment):
    path = write_run(tmp_path, records)
    before = path.read_bytes()
    with pytest.raises(InputError, match="is complete; there is nothing to resume"):
        Writer.resume(path, **_RESUMED, environment=environment)
    assert path.read_bytes() == before


def test_a_damaged_run_is_not_resumed(tmp_path, write_run, records, environment):
    path = write_run(tmp_path, records, status=None)
    before = path.read_bytes().replace(b'"replicate":1', b'"replicate":9')
    path.write_bytes(before)
    with pytest.raises(InputError, match=r"line 3: .*a damaged run cannot be resumed"):
        Writer.resume(path, **_RESUMED, environment=environment)
    assert path.read_bytes() == before


def test_a_run_that_is_being_written_is_not_resumed(tmp_path, make_run, environment):
    with (
        Writer.create(tmp_path, make_run()) as writer,
        pytest.raises(InputError, match="is being written by another process"),
    ):
        Writer.resume(writer.path, **_RESUMED, environment=environment)


def test_a_record_is_on_the_disk_when_the_call_returns(tmp_path, make_run, make_record, monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(os.fstat(descriptor)), real(descriptor)))
    with Writer.create(tmp_path, make_run()) as writer:
        assert tmp_path.stat().st_ino in {status.st_ino for status in synced}  # or the file's name may be lost
        for replicate in range(2):
            writer.append(make_record(replicate=replicate))
            file = writer.path.stat()
            assert (synced[-1].st_ino, synced[-1].st_size) == (file.st_ino, file.st_size)


def test_a_failed_write_does_not_stop_the_next(tmp_path, make_run, records, monkeypatch):
    with Writer.create(tmp_path, make_run()) as writer:
        writer.append(records[0])
        real = os.write
        monkeypatch.setattr(os, "write", lambda descriptor, data: _half(real, descriptor, data))
        with pytest.raises(InputError, match="No space left"):
            writer.append(records[1])
        monkeypatch.setattr(os, "write", real)
        writer.append(records[2])
        writer.end("complete")
    assert list(load(writer.path)) == [records[0], records[2]]
    assert load(writer.path).files[0].complete
    assert load(writer.path).problems == ()


def _half(real, descriptor, data):
    real(descriptor, data[: len(data) // 2])
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_an_interrupt_while_writing_leaves_a_file_that_goes_on(
    tmp_path, make_run, make_case, records, environment, monkeypatch, call
):
    plan = [make_case()]
    with Writer.create(tmp_path, make_run(plan=plan)) as writer:
        writer.append(records[0])
        real = getattr(os, call)
        monkeypatch.setattr(os, call, _interrupted(real))
        with pytest.raises(KeyboardInterrupt):
            writer.append(records[1])
        monkeypatch.setattr(os, call, real)
        writer.end("interrupted")
    # Half a line is cut away; a whole one that only waited for the disk stands, and is counted.
    kept = records[:1] if call == "write" else records[:2]
    assert list(load(writer.path)) == kept
    assert len(load(writer.path).problems) == 1
    assert "was interrupted" in load(writer.path).problems[0]
    resumed, _ = Writer.resume(writer.path, **_RESUMED, environment=environment)
    resumed.append(records[2])
    resumed.end("complete")
    assert list(load(writer.path)) == [*kept, records[2]]
    assert load(writer.path).problems == ()


def _interrupted(real):
    def call(descriptor, *data):
        real(descriptor, *(part[: len(part) // 2] for part in data))
        raise KeyboardInterrupt

    return call
