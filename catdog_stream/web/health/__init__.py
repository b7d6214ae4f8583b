"""State of the stream with its causes, for the page, probes, metrics and alerts alike."""
