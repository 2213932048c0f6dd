from pathlib import Path

from results.exporters.files import SINGLE, Files


def test_one_file_goes_where_it_is_told():
    assert Files(parts={SINGLE: "a"}).paths(Path("x/out.json")) == {SINGLE: Path("x/out.json")}


def test_several_share_the_stem():
    files = Files(parts={"bigger": "[]", "smaller": "[]"})
    expected = {"bigger": Path("x/v1.2-bigger.json"), "smaller": Path("x/v1.2-smaller.json")}
    assert files.paths(Path("x/v1.2")) == files.paths(Path("x/v1.2.json")) == expected


def test_text_is_utf_8():
    files = Files(parts={"a": "é", "b": b"\x00"})
    assert (files.content("a"), files.content("b")) == (b"\xc3\xa9", b"\x00")
