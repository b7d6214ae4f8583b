"""What the workers of a cluster tell each other, and its sum."""
