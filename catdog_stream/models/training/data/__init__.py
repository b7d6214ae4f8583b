"""Which pictures there are to learn from, and which of them for what."""
