"""A stack on disk: its manifest, its head, where it lies, and what it says of a picture."""
