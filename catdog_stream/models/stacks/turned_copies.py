"""Turned copies of pictures on which a stack is unsure (test-time augmentation).

A picture that lost its EXIF orientation may lie on its side. Where a stack is unsure of a picture,
its turned copies are classified too, and the orientation that looks most like the pictures of the
classes gives the verdict: by the out-of-distribution score, which a wrong verdict does not raise as
it may raise a probability.
"""

from collections.abc import Callable, Sequence

import numpy as np

from catdog_stream.models.engines.backbone import Batch
from catdog_stream.models.verdict import Verdict

__all__ = ["is_unsure", "with_turned_copies"]

#: Below this out-of-distribution score, which one in twenty pictures of the classes has, or below
#: this probability a stack is unsure. Chosen on training pictures; measured in docs/models.md.
_FAMILIARITY, _PROBABILITY = 0.05, 0.995
_TURNS = (1, 2, 3)
"""Right angles, counter-clockwise."""


def is_unsure(verdict: Verdict) -> bool:
    """Return whether the turned copies of the picture are worth their time."""
    if verdict.familiarity is not None and verdict.familiarity < _FAMILIARITY:
        return True
    return verdict.scores[verdict.likeliest] < _PROBABILITY


def with_turned_copies(
    pictures: Batch, classify: Callable[[Batch], list[Verdict]]
) -> list[Verdict]:
    """Classify ``pictures``, and those with an unsure verdict in all four orientations.

    The verdict on a picture depends on that picture alone, as that of ``classify`` does.
    """
    verdicts = classify(pictures)
    unsure = [number for number, verdict in enumerate(verdicts) if is_unsure(verdict)]
    copies = [np.rot90(pictures[number], turn) for number in unsure for turn in _TURNS]
    if not copies:
        return verdicts
    found = classify(np.ascontiguousarray(copies))
    for place, number in enumerate(unsure):
        turned = found[place * len(_TURNS) : (place + 1) * len(_TURNS)]
        verdicts[number] = _best([verdicts[number], *turned])
    return verdicts


def _best(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict with the best out-of-distribution score, or else with the surest class.

    Of equal ones the first, which is that of the picture as it came.
    """
    return max(
        verdicts,
        key=lambda verdict: (verdict.familiarity or 0.0, verdict.scores[verdict.likeliest]),
    )
