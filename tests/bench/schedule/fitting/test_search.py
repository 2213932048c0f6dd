from hypothesis import given
from hypothesis import strategies as st

from bench.schedule.fitting.search import MOST_BATCH, largest_fit


def asked(most, guess):
    questions = []

    def fits(count):
        questions.append(count)
        assert 1 <= count <= MOST_BATCH
        return count <= most

    return largest_fit(fits, guess), questions


@given(st.integers(0, 5000), st.integers(-10, 10_000))
def test_the_largest_is_always_returned(most, guess):
    answer, questions = asked(most, guess)
    assert answer == (most or None)
    assert len(questions) == len(set(questions))


def test_a_good_guess_needs_few_questions():
    assert len(asked(1000, 1000)[1]) < 12
    assert len(asked(1010, 1000)[1]) < 14


def test_what_never_ends_ends_at_the_largest_batch():
    assert largest_fit(lambda count: True, 100) == MOST_BATCH
