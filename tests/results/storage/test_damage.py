import collections
import random
import re
import subprocess
import sys

import pytest
from msgspec import structs

from results.errors import InputError
from results.storage.reader import load

CHANGES = 2000
PROCESSES = 8


def flip(data, rng):
    """Flip one bit; returns the damaged bytes, and where they differ first."""
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]


def overwrite(data, rng):
    place, length = rng.randrange(len(data)), rng.randint(1, 600)
    return data[:place] + rng.randbytes(length) + data[place + length :]


def zero_page(data, rng):
    """Lose a block, as a file system does that has the length of a file and not its contents."""
    place = rng.randrange(0, len(data), 512)
    return data[:place] + bytes(min(512, len(data) - place)) + data[place + 512 :]


def remove(data, rng):
    place, length = rng.randrange(len(data)), rng.randint(1, 600)
    return data[:place] + data[place + length :]


def insert(data, rng):
    place = rng.randrange(len(data) + 1)
    return data[:place] + rng.randbytes(rng.randint(1, 40)) + data[place:]


def truncate(data, rng):
    return data[: rng.randrange(len(data))]


def append(data, rng):
    return data + rng.randbytes(rng.randint(1, 40))


def lines_of(data):
    return data.splitlines(keepends=True)


def duplicate_line(data, rng):
    lines = lines_of(data)
    lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
    return b"".join(lines)


def delete_lines(data, rng):
    lines = lines_of(data)
    place = rng.randrange(len(lines))
    del lines[place : place + rng.randint(1, 3)]
    return b"".join(lines)


def swap_lines(data, rng):
    lines = lines_of(data)
    first, second = rng.sample(range(len(lines)), 2)
    lines[first], lines[second] = lines[second], lines[first]
    return b"".join(lines)


def join_lines(data, rng):
    """Lose the newline between two lines."""
    lines = lines_of(data)
    place = rng.randrange(len(lines) - 1)
    lines[place] = lines[place][:-1]
    return b"".join(lines)


DAMAGES = (
    flip,
    overwrite,
    zero_page,
    remove,
    insert,
    truncate,
    append,
    duplicate_line,
    delete_lines,
    swap_lines,
    join_lines,
)


@pytest.fixture
def records(make_record):
    return [make_record(replicate=index, turns=2) for index in range(4)]


@pytest.fixture
def path(tmp_path, write_run, make_run, make_static, records):
    plan = [records[0].case]
    run = make_run(plan=plan)
    run = structs.replace(run, settings=structs.replace(run.settings, replicates=len(records)))
    return write_run(tmp_path, records, [make_static()], run=run)


def split(data):
    """Return the lines without their newlines."""
    return data.removesuffix(b"\n").split(b"\n")


def first_difference(now, before):
    """Return the number of the first line that is another than before; None where the file only ends earlier."""
    return next((number for number, pair in enumerate(zip(now, before, strict=False), 1) if pair[0] != pair[1]), None)


def opened(path):
    """Return what a file holds, or else why it does not open."""
    try:
        return load(path), None
    except InputError as error:
        return None, str(error)


def numbers(problems):
    return [int(number) for problem in problems for number in re.findall(r"\.jsonl line (\d+): ", problem)]


def test_every_damage_is_told_with_its_line_and_costs_only_what_it_hit(path, records):
    whole = path.read_bytes()
    before = split(whole)
    assert load(path).problems == ()
    held = dict(zip(before[2:-1], records, strict=True))
    rng = random.Random(0)
    seen = collections.Counter()
    for number in range(CHANGES):
        damage = DAMAGES[number % len(DAMAGES)]
        damaged = damage(whole, rng)
        if damaged == whole:  # a line put in the place of itself
            continue
        seen[damage.__name__] += 1
        path.write_bytes(damaged)
        now = split(damaged)
        first = first_difference(now, before)
        loaded, error = opened(path)
        if error:
            assert numbers([error]) == [1]
            assert "\n" not in error
            assert now[0] != before[0], "only a damaged header makes a file unreadable"
            continue
        assert loaded.problems, f"{damage.__name__} went unnoticed"
        if first is not None:
            assert min(numbers(loaded.problems)) == first
        assert list(loaded) == [held[line] for line in dict.fromkeys(now) if line in held]
        assert loaded.files[0].complete == (before[-1] in now)
    assert set(seen) == {damage.__name__ for damage in DAMAGES}
    assert sum(seen.values()) >= 0.98 * CHANGES


_MANY = """
import datetime, sys
from msgspec import structs
from results.errors import InputError
from results.storage.reader import load
from results.storage.writer import Writer, new_run_id
source = load(sys.argv[1])
sys.stdin.readline()  # all begin at the same time
for number in range(int(sys.argv[3])):
    run_id = sys.argv[4] if len(sys.argv) > 4 else new_run_id(datetime.datetime(2026, 11, 22), "default")
    try:
        with Writer.create(sys.argv[2], structs.replace(source.files[0].run, id=run_id)) as writer:
            for record in source:
                writer.append(record)
            writer.end("complete")
            print(writer.path)
    except InputError as error:
        print(error)
"""


def together(*arguments):
    """Run `_MANY` in processes that begin at the same time; returns the lines that they say."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _MANY, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [line for process in processes for line in process.communicate()[0].splitlines()]
    assert [process.returncode for process in processes] == [0] * PROCESSES
    return said


def test_processes_that_write_into_one_folder_at_the_same_time_never_collide(tmp_path, path, records):
    said = together(path, tmp_path / "many", 5)
    assert len(set(said)) == 5 * PROCESSES
    assert {str(file) for file in (tmp_path / "many").iterdir()} == set(said)
    loaded = load(tmp_path / "many")
    assert loaded.problems == ()
    assert all(file.complete and list(file.records) == records for file in loaded.files)


def test_of_processes_that_want_the_same_name_one_gets_it(tmp_path, path, records):
    said = together(path, tmp_path / "one", 1, "the-one")
    assert sorted(line.endswith("is there already; choose another folder with --out") for line in said) == [
        False,
        *[True] * (PROCESSES - 1),
    ]
    (file,) = (tmp_path / "one").iterdir()
    assert file.name == "the-one.jsonl"
    assert list(load(file)) == records
    assert load(file).problems == ()
