"""The commands of the command line, as functions for Typer."""
