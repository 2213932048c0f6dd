"""What the lines of a run file hold: a module for each kind, or for kinds that belong together."""
