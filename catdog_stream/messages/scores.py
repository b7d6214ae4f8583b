"""Scores in a label: a header for each class, or one header with the likeliest of many classes.

A class whose name cannot be the name of a header has a header with a similar name. Its label has
the header ``scores`` as well, so that readers need not know how names are changed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from heapq import nlargest
from string import Formatter
from typing import Annotated

import orjson
from msgspec import Meta

from catdog_stream.documents import convert
from catdog_stream.models.classes import HEADER_CLASSES, header_names
from catdog_stream.models.verdict import Verdict

__all__ = [
    "DEFAULT_LIMITS",
    "LABEL_TEXT",
    "SCORES",
    "ScoreLimits",
    "checked_template",
    "decimal",
    "read_scores",
]

SCORES = "scores"
#: Template of the text of a label that the first clients read.
LABEL_TEXT = "Probabilities: {scores}"
#: A width or precision of more than three digits.
_LONG = re.compile(r"\d{4}")

_Scores = dict[str, Annotated[float, Meta(ge=0, le=1)]]


@dataclass(frozen=True, slots=True)
class ScoreLimits:
    """Limits of the scores in a label, and its text."""

    header_classes: int = HEADER_CLASSES
    """Largest number of classes that have a header each, and a place in the text."""
    top: int = 5
    """Number of classes in the text and in the header ``scores`` if there are more classes."""
    template: str = LABEL_TEXT
    """Template of the text, with the names of ``_text_fields``."""

    def shown(self, scores: Mapping[str, float]) -> Mapping[str, float]:
        """Return the scores that a label shows: all, or the likeliest of many, in their order."""
        if len(scores) <= self.header_classes:
            return scores
        # Of equal scores, the first: as the verdict.
        return dict(nlargest(self.top, scores.items(), key=lambda item: item[1]))

    def headers(
        self, scores: Mapping[str, float], shown: Mapping[str, float]
    ) -> list[tuple[str, bytes]]:
        """Return the headers of a label with these scores, of which it shows ``shown``."""
        headers = []
        if len(scores) <= self.header_classes:
            names = header_names(tuple(scores))
            headers = [(names[name], decimal(score)) for name, score in scores.items()]
            # From the default text, a reader knows the names of the classes.
            if self.template == LABEL_TEXT and all(
                name == header for name, header in names.items()
            ):
                return headers
        floats = {name: float(score) for name, score in shown.items()}
        return [*headers, (SCORES, orjson.dumps(floats))]

    def text(self, verdict: Verdict) -> str:
        """Return the text of the label of a verdict."""
        percentages = verdict.percentages(self.shown(verdict.scores))
        return self.template.format_map(_text_fields(verdict, percentages))


def checked_template(text: str) -> str:
    """Return a template for the text of a label. Raises ``ValueError`` if it cannot be used."""
    sample = _text_fields(Verdict({"cat": 0.999, "dog": 0.001}, "inception_v3 1"), "cat 99.9%")
    if not _can_be_filled(text, sample):
        names = ", ".join(f"{{{name}}}" for name in sample)
        raise ValueError(
            f"it must be UTF-8 and may have {names}, with a format of three digits at most as in "
            "{probability:.1%}; other braces are written twice"
        )
    return text


def _can_be_filled(template: str, sample: Mapping[str, str | float]) -> bool:
    try:
        parts = [(name, spec or "") for _, name, spec, _ in Formatter().parse(template)]
        # No attributes of the values, no further values in a format, and no text of a gigabyte.
        if not all(name is None or name in sample for name, _ in parts) or any(
            "{" in spec or _LONG.search(spec) for _, spec in parts
        ):
            return False
        template.format_map(sample).encode()  # a variable that is not UTF-8 has surrogates
    except ValueError:
        return False
    return True


def _text_fields(verdict: Verdict, percentages: str) -> dict[str, str | float]:
    """Return the values of a template's names."""
    return {
        "verdict": verdict.label,
        "probability": verdict.scores[verdict.likeliest],
        "scores": percentages,
        "stack": verdict.stack,
    }


DEFAULT_LIMITS = ScoreLimits()


def decimal(number: float) -> bytes:
    """Return the shortest decimal of the same float, without an exponent."""
    return format(Decimal(repr(float(number))), "f").encode()


def read_scores(header: bytes | None) -> dict[str, float]:
    """Return the scores in the header ``scores``, which is untrusted; none if it is invalid."""
    try:
        return convert(orjson.loads(header or b""), _Scores)
    except ValueError:
        return {}
