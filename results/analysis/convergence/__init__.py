"""Trainings to an accuracy: their curves, frames and comparisons."""
