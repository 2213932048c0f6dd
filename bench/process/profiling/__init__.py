"""What parent and worker say about profiles, peaks and memory."""
