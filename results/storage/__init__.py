"""Read and write run files, and report their damage."""
