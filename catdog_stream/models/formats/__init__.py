"""One reader for each picture format: from a file's bytes to pixels, as a browser shows them.

A reader parses the metadata of the pixels (orientation, color profile, transparency) itself. It
gives Pillow a file that holds the pixels alone, so that damage elsewhere in the file cannot prevent
decoding. ``docs/wire.md`` has the rule; ``tests/browser/test_pictures.py`` compares with Chromium.
"""
