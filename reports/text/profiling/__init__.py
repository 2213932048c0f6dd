"""Profiles, peaks and memory as text, for people and for programs."""
