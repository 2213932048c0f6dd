import pandas as pd
import pytest

from reports.style.words import extreme, joined, percent_text, plural


@pytest.mark.parametrize(("words", "text"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
def test_words_are_joined_as_in_a_sentence(words, text):
    assert joined(words) == text


def test_a_noun_has_its_plural():
    assert plural(1, "case") == "1 case"
    assert plural(1234, "case") == "1,234 cases"
    assert plural(2, "latency", "latencies") == "2 latencies"


def test_a_share_is_in_percent():
    assert percent_text(0.80858) == "80.86\N{NO-BREAK SPACE}%"


def test_of_equal_extremes_the_first_by_name_counts():
    frame = pd.DataFrame({"model": ["b", "a", "c"], "macs": [2, 2, 1]})
    assert extreme(frame, "macs", largest=True).model == "a"
    assert extreme(frame, "macs", largest=False).model == "c"
