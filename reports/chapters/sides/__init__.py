"""Machines, versions and runs against each other."""
