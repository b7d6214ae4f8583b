"""Validation of the verdicts of any classifier, before they are used.

A classifier may come from another application, and a network may compute NaN for one picture. An
invalid verdict must reject its own picture and affect nothing else: without this check it would be
written, counted and averaged.
"""

import math
import numbers
from collections.abc import Collection, Iterable, Mapping, Sequence

from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.models.classes import RESERVED, header_names
from catdog_stream.models.verdict import Verdict

__all__ = ["MAX_STACK_CHARACTERS", "SUM_TOLERANCE", "checked_verdicts"]

#: Tolerance for rounding errors: of the sum of the probabilities (1), and of their range (0 to 1).
SUM_TOLERANCE = 1e-3
MAX_STACK_CHARACTERS = 200
#: Headers that the decision of a jury adds to its label.
_NOTES = frozenset({"votes", "missing"})


def checked_verdicts(
    verdicts: Iterable[Verdict], pictures: int, classes: Sequence[str]
) -> list[Verdict]:
    """Return the verdicts on ``pictures`` pictures, checked, with their numbers as Python floats.

    Args:
        verdicts: the return value of a classifier.
        pictures: the number of pictures that the classifier got.
        classes: the classes that the classifier distinguishes.

    Raises:
        RejectedRequest: ``bad_verdict``, at least one verdict is invalid.
    """
    try:
        found = list(verdicts)
    except TypeError:
        raise _bad(f"{type(verdicts).__name__} instead of a list of verdicts") from None
    if len(found) != pictures:
        raise _bad(f"{len(found)} verdicts on a batch of {pictures}")
    names = frozenset(classes)
    return [_checked(verdict, names) for verdict in found]


def _checked(verdict: Verdict, classes: Collection[str]) -> Verdict:
    if not isinstance(verdict, Verdict) or not isinstance(verdict.scores, Mapping):
        raise _bad(f"{type(verdict).__name__} instead of a verdict")
    if verdict.scores.keys() != classes:
        raise _bad("a verdict of other classes than its own")
    stack = verdict.stack
    if not (isinstance(stack, str) and stack.isprintable() and len(stack) > 0):
        raise _bad("a verdict without the name of a stack")
    if len(stack) > MAX_STACK_CHARACTERS:
        raise _bad(f"a stack's name of more than {MAX_STACK_CHARACTERS} characters")
    for name, text in verdict.notes.items():
        headers = header_names(tuple(verdict.scores)).values()
        if name in headers or name in RESERVED - _NOTES or not isinstance(text, str):
            raise _bad(f"a note {name!r}, which is another header of a label")
    scores = {name: _share(probability, name) for name, probability in verdict.scores.items()}
    total = sum(scores.values())
    if abs(total - 1) > SUM_TOLERANCE:
        raise _bad(f"probabilities that add up to {total:.6g}")
    familiarity = verdict.familiarity
    return Verdict(
        scores,
        stack,
        None if familiarity is None else _share(familiarity, "familiarity"),
        bool(verdict.unknown),
        verdict.notes,
    )


def _share(value: object, name: str) -> float:
    """Return a number in 0 to 1 as a float. Accepts NumPy's types, too."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise _bad(f"{type(value).__name__} as the value of {name}")
    number = float(value)
    if not (math.isfinite(number) and -SUM_TOLERANCE <= number <= 1 + SUM_TOLERANCE):
        raise _bad(f"{number} as the value of {name}")
    return min(max(number, 0.0), 1.0)


def _bad(given: str) -> RejectedRequest:
    return RejectedRequest(Reason.BAD_VERDICT, f"The model gave {given}.")
