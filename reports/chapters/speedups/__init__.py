"""What precision, layout and compilation gain."""
