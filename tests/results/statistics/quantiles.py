"""Quantiles with their bounds, as a textbook has them."""

import math

import numpy as np

from results.statistics.intervals import Interval, bounding_ranks


def quantile_interval(values, q, effective):
    """The quantile `q` with its bounds, None where `effective` independent values bound none.

    The ranks are those of a sample of that size, at the same share of the series.
    """
    ranks = bounding_ranks(int(effective), q)
    if ranks is None:
        return None
    low, high = ranks
    ordered = sorted(values)
    top, bottom = math.ceil(high * len(ordered) / int(effective)), low * len(ordered) // int(effective)
    return Interval(float(np.quantile(ordered, q)), ordered[bottom - 1], ordered[top - 1])
