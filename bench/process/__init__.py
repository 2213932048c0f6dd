"""Fresh worker processes, and what is said between them and their parent."""
