"""Processing of a request up to its answer: reading, batching, inference, order of answers.

The package does not depend on Faust or Kafka.
"""
