"""The memory of a step: predicted from fake tensors, without computing, and measured."""
