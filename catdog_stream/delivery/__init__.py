"""The guarantee on top of Faust.

What is read, answered, acknowledged, counted, committed, by whom.
"""
