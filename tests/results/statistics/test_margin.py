import math

import pytest

from results.errors import InputError
from results.statistics.margin import MARGIN, check_margin


@pytest.mark.parametrize("margin", [0, -0.1, 1, 2, math.nan])
def test_a_margin_outside_0_to_1_is_refused(margin):
    with pytest.raises(InputError, match="not between 0 and 1"):
        check_margin(margin)


@pytest.mark.parametrize("margin", [1e-9, MARGIN, 0.999])
def test_a_margin_between_is_taken(margin):
    check_margin(margin)
