"""The schedule of workers: runs, groups, rotation, A/B pairs."""
