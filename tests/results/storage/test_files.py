import pytest

import results
from results.errors import InputError
from results.storage.files import check_output, replace


@pytest.fixture
def records(tmp_path, make_record, write_run):
    return results.load(write_run(tmp_path, [make_record()]))


def test_a_file_is_replaced_whole_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")
    replace(path, b"new", "the export")
    assert path.read_bytes() == b"new"
    assert [*tmp_path.iterdir()] == [path]


def test_what_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"cannot write .*choose another path for the export"):
        replace(tmp_path / "none" / "out.csv", b"", "the export")


def test_a_run_file_is_never_replaced(tmp_path, records):
    link = tmp_path / "link.csv"
    link.symlink_to(records.files[0].path)
    for path in (records.files[0].path, tmp_path / "other.jsonl", link):
        with pytest.raises(InputError, match="is a run file"):
            check_output(path, records, "the export")


def test_a_folder_is_no_place(tmp_path, records):
    with pytest.raises(InputError, match="is no file"):
        check_output(tmp_path, records, "the export")
    check_output(tmp_path / "new.csv", records, "the export")
