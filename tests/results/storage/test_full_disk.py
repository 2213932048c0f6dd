import errno
import itertools
import os

import pytest

from results.errors import InputError
from results.storage.reader import load
from results.storage.writer import Writer

CALLS = ("write", "fsync", "ftruncate")


class Disk:
    """Counts a process's calls of os.write, os.fsync and os.ftruncate; refuses the `first` and what follows it."""

    def __init__(self, monkeypatch):
        self.calls, self.first, self.refused, self.torn, self.cuts = 0, 0, CALLS, False, True
        for name in CALLS:
            monkeypatch.setattr(os, name, self._counted(name, getattr(os, name)))

    def full(self, first, *, torn, cuts):
        """Refuse from the call of that number on. `torn` lets half a line through, `cuts` leaves ftruncate alone."""
        self.calls, self.first, self.torn, self.cuts = 0, first, torn, cuts

    def roomy(self):
        """Refuse nothing."""
        self.calls, self.first = 0, 0

    @property
    def reached(self):
        return self.calls >= self.first

    def _counted(self, name, real):
        def call(descriptor, *arguments):
            if name == "ftruncate" and self.cuts:
                return real(descriptor, *arguments)
            self.calls += 1
            if not self.first or self.calls < self.first:
                return real(descriptor, *arguments)
            if name == "write" and self.torn and self.calls == self.first:
                return real(descriptor, arguments[0][: len(arguments[0]) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        return call


@pytest.fixture
def disk(monkeypatch):
    return Disk(monkeypatch)


@pytest.fixture
def records(make_record):
    return [make_record(replicate=index, turns=3) for index in range(3)]


@pytest.fixture
def measure(make_run, make_static, records):
    """Write a run, or go on with one; notes each record that the writer has taken."""
    run = make_run(plan=[records[0].case])

    def measure(folder, taken, path=None):
        if path is None:
            writer = Writer.create(folder, run)
        else:
            writer, _ = Writer.resume(path, started="2026-11-23T00:00:00Z", environment=run.environment)
        with writer:
            writer.append(make_static())
            for record in records:
                if record not in taken:
                    writer.append(record)
                    taken.append(record)
            writer.end("complete")
        return writer.path

    return measure


def refusal(measure, *arguments):
    """Return the one line that says that the disk is full; None where it had room."""
    try:
        measure(*arguments)
    except InputError as error:
        message = str(error)
    else:
        return None
    assert "\n" not in message
    assert "No space left on device" in message
    return message


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("cuts", [True, False])
def test_a_disk_that_is_full_from_any_call_on_loses_nothing_and_the_run_goes_on(
    tmp_path, disk, measure, records, torn, cuts
):
    for first in itertools.count(1):
        folder, taken = tmp_path / str(first), []
        disk.full(first, torn=torn, cuts=cuts)
        message = refusal(measure, folder, taken)
        if not disk.reached:
            break
        assert str(folder) in message
        disk.roomy()
        files = list(folder.iterdir())
        if not files:
            assert taken == []
            assert message.endswith("choose another folder with --out")
            continue
        assert message.endswith("go on with --resume")
        assert [path.suffix for path in files] == [".jsonl"]
        loaded = load(files[0])
        # A whole line whose sync failed may stand where the disk refused to cut it away.
        assert list(loaded) == taken or (not cuts and list(loaded)[:-1] == taken)
        assert not loaded.files[0].complete or not cuts
        if not loaded.files[0].complete:
            measure(folder, list(loaded), files[0])
        assert list(load(files[0])) == records
        assert load(files[0]).files[0].complete
        assert load(files[0]).problems == ()
    assert first > 2 * (2 + len(records))  # header, static cost, records: each is written and synced


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("cut", [0, 1, 9])
def test_a_disk_that_is_full_while_a_run_is_resumed_loses_nothing(tmp_path, disk, measure, records, torn, cut):
    source = measure(tmp_path / "source", [])
    lines = source.read_bytes().splitlines(keepends=True)
    cut_off = b"".join(lines[:4])[: -cut or None]  # header, static cost, a record, and a second one or most of it
    kept = records[: 2 if cut < 9 else 1]
    for first in itertools.count(1):
        path = tmp_path / f"{first}.jsonl"
        path.write_bytes(cut_off)
        taken = list(kept)
        disk.full(first, torn=torn, cuts=True)
        message = refusal(measure, tmp_path, taken, path)
        if not disk.reached:
            break
        assert str(path) in message
        assert message.endswith("go on with --resume")
        disk.roomy()
        assert list(load(path)) == taken
        measure(tmp_path, taken, path)
        assert list(load(path)) == records
        assert load(path).problems == ()
    assert first > 2 * (2 + len(records) - len(kept))


def test_a_run_goes_on_after_a_disk_that_would_not_even_cut(tmp_path, disk, make_run, records):
    with Writer.create(tmp_path, make_run(plan=[records[0].case])) as writer:
        writer.append(records[0])
        disk.full(1, torn=True, cuts=False)
        with pytest.raises(InputError, match="No space left"):
            writer.append(records[1])
        disk.roomy()
        assert "torn" in load(writer.path).problems[0]
        writer.append(records[2])  # it must not end up behind half a line
        writer.end("complete")
    assert list(load(writer.path)) == [records[0], records[2]]
    assert load(writer.path).problems == ()


def test_a_disk_that_takes_a_byte_at_a_time_gets_the_same_bytes(tmp_path, monkeypatch, measure):
    whole = measure(tmp_path / "whole", [])
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:1]))
    assert measure(tmp_path / "bytes", []).read_bytes() == whole.read_bytes()
