import pytest

from bench.suites.durations import duration_s
from results.errors import InputError


@pytest.mark.parametrize(("text", "seconds"), [("20ms", 0.02), ("0.5 s", 0.5), ("100us", 1e-4), (".5s", 0.5)])
def test_durations(text, seconds):
    assert duration_s(text, "--max-latency") == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "what"), [("20", "no unit"), ("20min", "an unknown unit"), ("fast", "number with"), ("0ms", "0")]
)
def test_what_is_no_duration_says_what_is(text, what):
    with pytest.raises(InputError, match=what) as error:
        duration_s(text, "--max-latency")
    assert "--max-latency" in str(error.value)
