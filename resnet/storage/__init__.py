"""Weights and networks in files: torch's and safetensors' formats, read without running what they hold."""
