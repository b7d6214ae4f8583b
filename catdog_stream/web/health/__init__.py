"""State of the stream with its causes: pure, and the same for page, probes, metrics and alerts."""
