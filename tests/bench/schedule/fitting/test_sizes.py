import pytest

from bench.machine import memory
from bench.schedule.fitting.sizes import memory_size
from results.errors import InputError


@pytest.mark.parametrize(
    ("text", "size"),
    [("8GB", 8 * 10**9), ("8 GiB", 8 << 30), ("512MB", 512 * 10**6), ("1.5gb", 1_500_000_000), ("100B", 100)],
)
def test_sizes_have_a_number_and_a_unit(text, size):
    assert memory_size(text) == size


def test_free_is_what_is_free_now(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 123)
    assert memory_size("free") == 123


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("8", "has no unit"),
        ("8XB", "has an unknown unit"),
        ("much", "should be a number with a unit"),
        ("-1GB", "should be a number"),
        ("0GB", "holds nothing"),
    ],
)
def test_bad_sizes_are_named(text, message):
    with pytest.raises(InputError, match=message):
        memory_size(text)
