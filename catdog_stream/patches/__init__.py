"""Faults of other people's libraries, and nothing else.

Each module says what is wrong; docs/upstream.md says when it may go.
"""
