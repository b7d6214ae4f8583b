"""State that the workers of a cluster exchange, and its aggregation."""
