"""Classify a stream of pictures on Kafka as cat or dog, with Faust."""

__version__ = "0.1.0"
