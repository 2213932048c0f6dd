"""Fresh worker processes, and their protocol with the parent."""
