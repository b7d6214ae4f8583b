"""Delivery guarantee on top of Faust: reading, answering, acknowledging, counting, committing."""
