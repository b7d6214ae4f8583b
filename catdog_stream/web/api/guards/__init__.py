"""Access control of the HTTP API: permissions and rates, independent of what the paths do."""
