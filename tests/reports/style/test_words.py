import pandas as pd
import pytest

from reports.style.words import case_options, extreme, joined, percent_text, plural


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


def test_the_options_of_a_case_measure_it_with_its_baseline(make_case):
    words = " ".join(case_options(make_case(precision="amp-bf16", runtime="openvino")))
    assert "--precision fp32,amp-bf16" in words
    assert "--runtime eager,openvino" in words
    assert "--layout nchw " in words
    assert "--head" not in words
