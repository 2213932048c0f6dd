from bench.machine.files import read_text


def test_text_comes_without_the_space_around_it(tmp_path):
    (tmp_path / "max").write_text(" max\n\n")
    assert read_text(tmp_path / "max") == "max"


def test_a_file_that_cannot_be_read_is_empty(tmp_path):
    assert read_text(tmp_path / "none") == ""
    assert read_text(tmp_path) == ""


def test_bytes_that_are_no_text_are_replaced(tmp_path):
    (tmp_path / "name").write_bytes(b"Xeon\xff")
    assert read_text(tmp_path / "name") == "Xeon\ufffd"
