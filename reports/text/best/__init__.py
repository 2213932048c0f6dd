"""The answer of a search, as text and as code."""
