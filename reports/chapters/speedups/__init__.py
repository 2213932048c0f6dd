"""Speed-ups by precision, layout and compilation."""
