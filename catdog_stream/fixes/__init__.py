"""Small repairs of the libraries this application stands on.

Each module repairs one fault of one library and tells its cause, the upstream issue where there is
one, and what is done about it. Each has an `install`, which may be called more than once, and a
test that fails without it. They reach into internals: ``setup.cfg`` holds the libraries to the
minor versions they were made for.
"""
