"""Text for people: terminal tables, Markdown, comments on pull requests."""
