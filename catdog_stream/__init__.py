"""Classify a stream of pictures on Kafka with Faust.

The map of the rooms is in docs/architecture.md.
"""

__version__ = "0.1.0"
