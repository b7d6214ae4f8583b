"""Faults of other people's libraries, and nothing else.

Each module says what is wrong, and has a test that fails once its library is mended.
"""
