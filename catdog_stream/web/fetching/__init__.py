"""Fetching of pictures from addresses that untrusted visitors type."""
