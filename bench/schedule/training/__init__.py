"""Trainings: what is trained in which order, one after the other, and what a person sees of it."""
