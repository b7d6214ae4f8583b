"""The two stacked models, from a picture's bytes to a verdict. Nothing in here knows Faust.

::

    bytes ──pictures──> uint8 [299, 299, 3] ──backbone──> float32 [2048] ──head──> chances

``stacks`` puts the parts together and says which files they are; ``engines`` run the network;
``training`` makes and measures a stack.
"""
