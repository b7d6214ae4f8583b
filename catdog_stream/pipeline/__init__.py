"""From a request to its answer: reading, batching, the model, order.

Knows no Faust and no Kafka.
"""
