"""Writers of other programs' result formats."""
