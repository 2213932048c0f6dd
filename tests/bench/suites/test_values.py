import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.suites.values import DEFAULTS, change_settings, fraction
from results.errors import InputError


@given(percent=st.floats(0.001, 99.9))
def test_a_fraction_may_be_written_in_per_cent(percent):
    assert fraction(f"{percent!r}%") == pytest.approx(percent / 100)
    assert fraction(percent / 100) == percent / 100


@pytest.mark.parametrize("wrong", ["1", "0", "-1%", "100%", "x", "", "%", "nan", "inf", True, None])
def test_what_is_no_fraction_is_refused(wrong):
    with pytest.raises(InputError, match="is no fraction"):
        fraction(wrong)


def test_settings_are_changed_where_a_change_is_given():
    changed = change_settings(DEFAULTS["cpu"], replicates=None, budget_s=9, target="3%")
    assert (changed.replicates, changed.budget_s, changed.target) == (DEFAULTS["cpu"].replicates, 9, 0.03)
    with pytest.raises(InputError, match="budget_s: nan should be"):
        change_settings(DEFAULTS["cpu"], budget_s=float("nan"))
    with pytest.raises(InputError, match="unknown key 'bugdet_s'; did you mean 'budget_s'"):
        change_settings(DEFAULTS["cpu"], bugdet_s=1)
