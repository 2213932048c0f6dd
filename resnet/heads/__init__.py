"""Networks with other heads than a classifier: a detector and a segmenter, with data, training and metrics for both."""
