"""Measure the loading of a data set: its stages, its rate with each number of workers, and the need of a network."""
