"""Statistics of series: steady state, intervals, differences, change points."""
