"""Which worker runs when: runs, groups, rotation, A/B pairs."""
