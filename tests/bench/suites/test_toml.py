import pytest

from bench.suites.suite import load_suite
from bench.suites.toml import builtin_suites
from results.errors import InputError

BUILTIN = ("cifar", "default", "full", "quick", "runtimes")


def test_the_builtin_suites_are_described():
    assert tuple(builtin_suites()) == BUILTIN
    assert all(builtin_suites().values())


def test_an_unknown_suite_is_met_with_a_suggestion_and_the_choices():
    with pytest.raises(InputError, match=r"unknown suite 'defualt'; did you mean 'default'.*cifar, default"):
        load_suite("defualt")


def test_a_file_that_cannot_be_read_is_said_so(tmp_path):
    with pytest.raises(InputError, match=r"cannot read suite .*No such file"):
        load_suite(tmp_path / "none.toml")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(InputError, match=r"cannot read suite .*directory"):
        load_suite(tmp_path / "folder.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not TOML"):
        load_suite(tmp_path / "binary.toml")
    (tmp_path / "huge.toml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(InputError, match="larger than any suite"):
        load_suite(tmp_path / "huge.toml")
