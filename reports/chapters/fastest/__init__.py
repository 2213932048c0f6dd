"""The search for the fastest configuration: who took part, how fast each was, and when it left."""
