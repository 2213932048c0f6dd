"""Trainings to an accuracy."""
