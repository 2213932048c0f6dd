"""That the collection is valid, and that what reads it does a bounded amount of work for each record."""

import sys

import pytest

import results
from reports.text.findings import study_text
from tests.scale.collection import RECORDS_A_VARIANT, write


@pytest.fixture
def collection(tmp_path):
    def make(records, *, replicates=1):
        folder = tmp_path / f"{records}x{replicates}"
        write(folder, records, replicates=replicates)
        return folder

    return make


def test_a_collection_is_valid_and_the_same_each_time(collection, tmp_path):
    folder = collection(400, replicates=2)
    write(tmp_path / "again", 400, replicates=2)
    sides = [results.load(folder / side) for side in ("base", "new")]
    assert sum(map(len, sides)) == 400
    assert not any(side.problems for side in sides)
    assert list(sides[0]) == list(results.load(tmp_path / "again" / "base"))
    found = results.compare(*sides)
    assert found.same_hardware
    assert len(found.cases) == 100
    assert "same" in {one.verdict for one in found.cases}


def test_records_that_cannot_be_spread_evenly_are_refused(tmp_path):
    with pytest.raises(ValueError, match=f"no multiple of {RECORDS_A_VARIANT}"):
        write(tmp_path, 150)


def _read(folder):
    base, new = results.load(folder / "base"), results.load(folder / "new")
    results.compare(base, new)
    study = results.Study(results.load(folder / "base", folder / "new"))
    return [study_text(study, fmt) for fmt in ("table", "markdown", "csv", "json")]


def _calls(function, *arguments):
    """Return how many Python functions are called: a measure of work that no busy machine changes."""
    count = 0

    def seen(frame, event, argument):
        nonlocal count
        count += event == "call"

    sys.setprofile(seen)
    try:
        function(*arguments)
    finally:
        sys.setprofile(None)
    return count


def test_work_grows_with_the_number_of_records_and_no_faster(collection):
    folders = [collection(size) for size in (200, 400, 1200)]
    _read(folders[0])  # what is imported and cached on first use is not counted
    small, middle, large = (_calls(_read, folder) for folder in folders)
    # From 400 to 1,200 there are four times as many more as from 200 to 400.
    assert large - middle < 1.1 * 4 * (middle - small)
