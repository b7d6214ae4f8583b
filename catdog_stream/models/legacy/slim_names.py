"""TF-Slim's names of the convolutions of Inception V3, in the order in which Keras builds them.

Keras follows Slim's definition, branch by branch, so the order is the order of
``slim/nets/inception_v3.py``. Some names there are wrong, and Slim kept them for the checkpoints:
Mixed_5c counts its second branch from ``0b``, and has a ``Conv_1_0c_5x5``; the layers ``1x1`` at
the end of Mixed_6a's branches are 3 x 3; Mixed_7b has two layers ``0b`` in its second branch, where
Mixed_7c has ``0b`` and ``0c``.
"""

__all__ = ["CONVOLUTIONS", "LOGITS", "SCOPE"]

SCOPE = "InceptionV3"
LOGITS = f"{SCOPE}/Logits/Conv2d_1c_1x1"

_STEM = "1a_3x3 2a_3x3 2b_3x3 3b_1x1 4a_3x3"
#: For each block, its branches with convolutions: number, and the names after ``Conv2d_``.
_35 = ("0: 0a_1x1", "1: 0a_1x1 0b_5x5", "2: 0a_1x1 0b_3x3 0c_3x3", "3: 0b_1x1")
_17 = (
    "0: 0a_1x1",
    "1: 0a_1x1 0b_1x7 0c_7x1",
    "2: 0a_1x1 0b_7x1 0c_1x7 0d_7x1 0e_1x7",
    "3: 0b_1x1",
)
_8 = "2: 0a_1x1 0b_3x3 0c_1x3 0d_3x1"
_BLOCKS = {
    "Mixed_5b": _35,
    "Mixed_5c": (_35[0], "1: 0b_1x1 Conv_1_0c_5x5", *_35[2:]),
    "Mixed_5d": _35,
    "Mixed_6a": ("0: 1a_1x1", "1: 0a_1x1 0b_3x3 1a_1x1"),
    "Mixed_6b": _17,
    "Mixed_6c": _17,
    "Mixed_6d": _17,
    "Mixed_6e": _17,
    "Mixed_7a": ("0: 0a_1x1 1a_3x3", "1: 0a_1x1 0b_1x7 0c_7x1 1a_3x3"),
    "Mixed_7b": ("0: 0a_1x1", "1: 0a_1x1 0b_1x3 0b_3x1", _8, "3: 0b_1x1"),
    "Mixed_7c": ("0: 0a_1x1", "1: 0a_1x1 0b_1x3 0c_3x1", _8, "3: 0b_1x1"),
}


def _layer(short: str) -> str:
    return short if short.startswith("Conv") else f"Conv2d_{short}"


def _names() -> list[str]:
    names = [f"{SCOPE}/{_layer(short)}" for short in _STEM.split()]
    for block, branches in _BLOCKS.items():
        for branch in branches:
            number, _, layers = branch.partition(": ")
            names += [f"{SCOPE}/{block}/Branch_{number}/{_layer(s)}" for s in layers.split()]
    return names


CONVOLUTIONS: tuple[str, ...] = tuple(_names())
"""Scopes of the 94 convolutions."""
