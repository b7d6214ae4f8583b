"""Formats of requests, and the parser that reads one."""
