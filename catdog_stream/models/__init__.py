"""The two stacked models, from a picture's bytes to a verdict. Nothing in here knows Faust.

::

    bytes ──pictures──> uint8 [299, 299, 3] ──backbone──> float32 [2048] ──head──> chances

``stack`` puts the parts together; ``manifest`` says which files they are. ``convert``,
``training`` and ``evaluation`` make and measure a stack.
"""
