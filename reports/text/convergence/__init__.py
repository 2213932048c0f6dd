"""Trainings and their comparisons as text."""
