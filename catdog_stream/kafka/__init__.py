"""Kafka clients: address and security of a cluster, its topics, producing and consuming."""
