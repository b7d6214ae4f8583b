"""Who may do what over HTTP, and how often. None of it knows what the paths are for."""
