"""One module for each picture format: from a file's bytes to pixels, as a browser shows them.

A module reads what its format states of the pixels (orientation, color profile, transparency), and
gives Pillow a file that holds the pixels alone, so that no damage to anything else can keep the
pixels from being decoded. ``docs/wire.md`` has the rule; ``tests/browser/test_pictures.py``
compares with Chromium.
"""
