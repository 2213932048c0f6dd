"""Where the time of a step goes: torch's profiler, and whose time each of its events is."""
