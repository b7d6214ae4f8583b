"""What a stack says of a picture."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["UNKNOWN", "Verdict"]

#: What a picture is called that looks like nothing the stack has learned.
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The chance of each class, and who says so."""

    scores: Mapping[str, float]
    """Class to its chance in 0 to 1, in the stack's order; they sum to 1."""
    stack: str
    """Name and version of the stack, as in the ``stack`` header."""
    familiarity: float | None = None
    """How familiar the picture looked, 0 to 1; ``None`` where the stack cannot tell."""
    unknown: bool = False
    """Whether it looked too unfamiliar to be any of the classes."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """What else is to be known of it: further headers of its label."""

    @property
    def label(self) -> str:
        """What the picture counts as: the likeliest class, or ``unknown``."""
        return UNKNOWN if self.unknown else self.likeliest

    @property
    def likeliest(self) -> str:
        """The likeliest class, familiar or not; of several, the first."""
        return max(self.scores, key=lambda name: self.scores[name])

    @property
    def text(self) -> str:
        """The label on the wire: ``Probabilities: cat 99.9% dog 0.1%``, adding up to 100.0.

        What rounding leaves over goes to the likeliest class, of which it is the smallest part.
        """
        thousandths = {name: round(1000 * chance) for name, chance in self.scores.items()}
        thousandths[self.likeliest] += 1000 - sum(thousandths.values())
        parts = (f"{name} {n // 10}.{n % 10}%" for name, n in thousandths.items())
        return f"Probabilities: {' '.join(parts)}"
