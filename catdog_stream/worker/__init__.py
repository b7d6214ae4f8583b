"""Worker process: its services, its start and end, and its health."""
