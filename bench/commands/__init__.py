"""The commands: one module for those that belong together, each function the whole of what Typer is given."""
