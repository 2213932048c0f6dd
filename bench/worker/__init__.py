"""The worker process: answers its parent's requests."""
