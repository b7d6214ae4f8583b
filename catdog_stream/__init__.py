"""Classify a stream of pictures on Kafka as cat or dog, with Faust.

The map of the rooms is in docs/architecture.md.
"""

__version__ = "0.1.0"
