"""HTML of the page: complete without JavaScript, and with all foreign text escaped.

This package alone renders each section, for the page and for its live updates: the browser's script
only replaces one HTML with another.
"""
