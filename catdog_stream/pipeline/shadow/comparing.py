"""Comparison of two verdicts on the same picture."""

from dataclasses import dataclass

from catdog_stream.models.verdict import Verdict

__all__ = ["Comparison", "Tally", "compare"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Comparison of the answer with the shadow's verdict."""

    agree: bool
    """True if both verdicts have the same label."""
    difference: float
    """The largest difference in the probability of a class, 0 to 1."""


def compare(answered: Verdict, shadow: Verdict) -> Comparison:
    """Compare two verdicts; a class that a stack does not know has the probability 0 there."""
    return Comparison(
        agree=answered.label == shadow.label,
        difference=max(
            abs(answered.scores.get(name, 0.0) - shadow.scores.get(name, 0.0))
            for name in answered.scores.keys() | shadow.scores.keys()
        ),
    )


@dataclass(slots=True)
class Tally:
    """Comparisons with the answers of one stack."""

    agreed: int = 0
    disagreed: int = 0
    total: float = 0.0
    """Sum of all differences."""
    largest: float = 0.0
    """Largest difference."""

    def add(self, comparison: Comparison) -> None:
        """Add one comparison."""
        if comparison.agree:
            self.agreed += 1
        else:
            self.disagreed += 1
        self.total += comparison.difference
        self.largest = max(self.largest, comparison.difference)

    @property
    def compared(self) -> int:
        """Number of pictures on which both gave a verdict."""
        return self.agreed + self.disagreed

    @property
    def agreement(self) -> float:
        """Share of these with the same label, 0 to 1; 0 if there are none."""
        return self.agreed / self.compared if self.compared else 0.0

    @property
    def mean(self) -> float:
        """Mean difference, 0 to 1; 0 if there is none."""
        return self.total / self.compared if self.compared else 0.0
