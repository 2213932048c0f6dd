"""Whether the network waits for its images: the stages of loading, and the rate by the number of workers."""
