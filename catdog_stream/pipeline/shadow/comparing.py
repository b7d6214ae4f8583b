"""How far two verdicts on the same picture are apart."""

from dataclasses import dataclass

from catdog_stream.models.verdict import Verdict

__all__ = ["Comparison", "Tally", "compare"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was answered, beside what the shadow says."""

    agree: bool
    """Whether the picture counts as the same with both."""
    difference: float
    """The largest difference in the chance of a class, 0 to 1."""


def compare(answered: Verdict, shadow: Verdict) -> Comparison:
    """Compare two verdicts; a class that one of them does not know has no chance with it."""
    return Comparison(
        agree=answered.label == shadow.label,
        difference=max(
            abs(answered.scores.get(name, 0.0) - shadow.scores.get(name, 0.0))
            for name in answered.scores.keys() | shadow.scores.keys()
        ),
    )


@dataclass(slots=True)
class Tally:
    """Comparisons with what one stack answered."""

    agreed: int = 0
    disagreed: int = 0
    total: float = 0.0
    """Of all differences."""
    largest: float = 0.0
    """Difference."""

    def add(self, comparison: Comparison) -> None:
        """Count one more."""
        if comparison.agree:
            self.agreed += 1
        else:
            self.disagreed += 1
        self.total += comparison.difference
        self.largest = max(self.largest, comparison.difference)

    @property
    def compared(self) -> int:
        """Pictures on which both gave a verdict."""
        return self.agreed + self.disagreed

    @property
    def agreement(self) -> float:
        """Share of these that count as the same, 0 to 1; 0 if there are none."""
        return self.agreed / self.compared if self.compared else 0.0

    @property
    def mean(self) -> float:
        """Mean difference, 0 to 1; 0 if there is none."""
        return self.total / self.compared if self.compared else 0.0
