"""Parameters and MACs, layer by layer."""
