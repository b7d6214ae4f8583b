"""Turned copies of pictures on which a stack is unsure (test-time augmentation).

A picture that lost its EXIF orientation may lie on its side. If a stack is unsure of a picture, its
turned copies are classified, too, and the orientation with the best out-of-distribution score gives
the verdict. A wrong verdict may have a high probability, but it does not raise that score.
"""

from collections.abc import Callable, Sequence

import numpy as np

from catdog_stream.models.engines.backbone import Batch
from catdog_stream.models.verdict import Verdict

__all__ = ["is_unsure", "with_turned_copies"]

#: A stack is unsure below this out-of-distribution score, as for one in twenty pictures of the
#: classes, or below this probability. Chosen on training pictures; measured in docs/models.md.
_FAMILIARITY, _PROBABILITY = 0.05, 0.995
_TURNS = (1, 2, 3)
"""Right angles, counter-clockwise, for square pictures; others are turned upside down alone."""


def is_unsure(verdict: Verdict) -> bool:
    """Return if the turned copies of the picture are worth their computing time."""
    if verdict.familiarity is not None and verdict.familiarity < _FAMILIARITY:
        return True
    return verdict.scores[verdict.likeliest] < _PROBABILITY


def with_turned_copies(
    pictures: Batch, classify: Callable[[Batch], list[Verdict]]
) -> list[Verdict]:
    """Classify ``pictures``, and those with an unsure verdict in all four orientations.

    As with ``classify``, the verdict on a picture depends on that picture alone.
    """
    verdicts = classify(pictures)
    unsure = [number for number, verdict in enumerate(verdicts) if is_unsure(verdict)]
    if not unsure:
        return verdicts
    height, width, _ = pictures[0].shape
    turns = _TURNS if height == width else (2,)
    copies = [np.rot90(pictures[number], turn) for number in unsure for turn in turns]
    found = classify(np.ascontiguousarray(copies))
    for place, number in enumerate(unsure):
        turned = found[place * len(turns) : (place + 1) * len(turns)]
        verdicts[number] = _best([verdicts[number], *turned])
    return verdicts


def _best(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict with the best out-of-distribution score, then the highest probability.

    Of equal verdicts the first wins, which is the verdict on the original orientation.
    """
    return max(
        verdicts,
        key=lambda verdict: (verdict.familiarity or 0.0, verdict.scores[verdict.likeliest]),
    )
