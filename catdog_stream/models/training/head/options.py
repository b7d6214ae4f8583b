"""Options of the commands that train a head. Imports nothing, so that the commands start fast."""

from typing import Literal

__all__ = ["MOST_TO_BOOST", "HeadKind", "HeadOption"]

HeadKind = Literal["boosted", "linear"]
HeadOption = Literal["auto", "boosted", "linear"]
"""``auto`` is the kind with the smaller held-out log loss, or ``linear`` for many classes."""

MOST_TO_BOOST = 16
"""Largest number of classes for boosting by default: its time grows with their number."""
