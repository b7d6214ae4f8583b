"""The two stacked models, from a picture's bytes to a verdict. This package never imports Faust.

::

    bytes ──pictures──> uint8 [299, 299, 3] ──backbone──> float32 [2048] ──head──> probabilities

``stacks`` loads the files of a stack and combines its parts. ``engines`` run the network.
``training`` trains and measures a stack.
"""
