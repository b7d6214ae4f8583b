"""Benchmarks behind the figures and charts of the documents; each module is a command."""
