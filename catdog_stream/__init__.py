"""Classification of a stream of pictures on Kafka with Faust.

docs/architecture.md describes the packages.
"""

__version__ = "0.1.0"
