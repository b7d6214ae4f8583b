"""Pictures sent and answers read over HTTP: every one of them goes through the stream."""
