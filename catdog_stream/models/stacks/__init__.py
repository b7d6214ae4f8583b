"""Stacks on disk: manifest, head, location, and classification of pictures."""
