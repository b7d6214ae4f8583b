"""What a stack says of a picture."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Verdict"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The chance of each class, and who says so."""

    scores: Mapping[str, float]
    """Class to its chance in 0 to 1, in the stack's order; they sum to 1."""
    stack: str
    """Name and version of the stack, as in the ``stack`` header."""

    @property
    def label(self) -> str:
        """The likeliest class; of several, the first."""
        return max(self.scores, key=lambda name: self.scores[name])

    @property
    def text(self) -> str:
        """The label on the wire: ``Probabilities: cat 99.9% dog 0.1%``, adding up to 100.0.

        What rounding leaves over goes to the likeliest class, of which it is the smallest part.
        """
        thousandths = {name: round(1000 * chance) for name, chance in self.scores.items()}
        thousandths[self.label] += 1000 - sum(thousandths.values())
        parts = (f"{name} {n // 10}.{n % 10}%" for name, n in thousandths.items())
        return f"Probabilities: {' '.join(parts)}"
