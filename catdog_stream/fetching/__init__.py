"""Fetching of pictures from addresses in untrusted text."""
