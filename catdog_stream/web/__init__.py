"""Web server of a worker: the page, the HTTP API, health, metrics, and state for peers."""
