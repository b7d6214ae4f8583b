"""HTTP API for sending pictures and reading answers; every picture goes through the stream."""
