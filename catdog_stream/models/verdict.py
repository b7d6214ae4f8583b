"""The verdict of a stack on a picture."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

__all__ = ["UNKNOWN", "Verdict"]

#: The label of a picture that is out of distribution: unlike everything the stack was trained on.
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The probability of each class, and the stack that computed it."""

    scores: Mapping[str, float]
    """Class to its probability in 0 to 1, in the stack's order; they sum to 1."""
    stack: str
    """Name and version of the stack, as in the ``stack`` header."""
    familiarity: float | None = None
    """OOD score of the picture, 0 (out of distribution) to 1; ``None`` if the stack has none."""
    unknown: bool = False
    """True if the OOD score is too low for any of the classes."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Further headers of the label: name to value."""

    @property
    def label(self) -> str:
        """The label of the picture: the likeliest class, or ``unknown``."""
        return UNKNOWN if self.unknown else self.likeliest

    @property
    def likeliest(self) -> str:
        """The likeliest class, whatever the OOD score; of several equal ones, the first."""
        return max(self.scores, key=self.scores.__getitem__)

    @property
    def text(self) -> str:
        """The text of the label: ``Probabilities: cat 99.9% dog 0.1%``, adding up to 100.0."""
        return f"Probabilities: {self.percentages(self.scores)}"

    def percentages(self, names: Collection[str]) -> str:
        """Return some of the classes with their probabilities: ``cat 99.9% dog 0.1%``.

        With all classes, the rounding error goes to the likeliest class, where it is the smallest
        relative error.
        """
        thousandths = {name: round(1000 * self.scores[name]) for name in names}
        if len(names) == len(self.scores):
            thousandths[self.likeliest] += 1000 - sum(thousandths.values())
        return " ".join(f"{name} {n // 10}.{n % 10}%" for name, n in thousandths.items())
