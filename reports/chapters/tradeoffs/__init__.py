"""Accuracy, throughput and memory against each other."""
