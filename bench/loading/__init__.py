"""Time the loading of data: its stages one by one, and whole batches with a number of worker processes."""
