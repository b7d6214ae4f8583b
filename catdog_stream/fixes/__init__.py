"""Small repairs of the libraries this application stands on.

Each module repairs one fault of one library, or those of one class, and tells its cause, the
upstream issue where there is one, and what is done about it. Some replace a part of the library
(they have an ``install``, which may be called more than once), the others are classes that the
application gives to Faust. They reach into internals: ``setup.cfg`` holds the libraries to the
minor versions they were made for.
"""
