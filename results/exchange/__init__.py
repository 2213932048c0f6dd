"""Runs as other programs write and read them: exporters (`results.exchange.exporting`) and importers."""
