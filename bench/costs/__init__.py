"""Static cost of a model: parameters, MACs, activations. Nothing is timed."""
