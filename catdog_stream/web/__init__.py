"""What a worker shows over HTTP: statistics of the cluster, health, metrics."""
