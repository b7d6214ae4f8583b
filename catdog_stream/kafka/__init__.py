"""Clients of a cluster: its address and security, its topics, sending and reading."""
