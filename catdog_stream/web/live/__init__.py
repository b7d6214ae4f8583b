"""Keeps open pages up to date: nothing of it runs while nobody looks."""
