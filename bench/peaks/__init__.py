"""What a device can do: rates of products, bandwidths, and what calling an operator costs."""
