"""Voters whose votes are missing: they have ended, or are too slow for the deadline."""

from collections.abc import Collection, Sequence

__all__ = ["Absence"]


class Absence:
    """Number of consecutive decisions that each voter is missing from.

    Args:
        voters: names of the expected voters.
    """

    def __init__(self, voters: Sequence[str]) -> None:
        self._missed = dict.fromkeys(voters, 0)

    def note(self, missing: Collection[str]) -> None:
        """Count a decision that was made without the votes of ``missing``."""
        for voter in self._missed:
            self._missed[voter] = self._missed[voter] + 1 if voter in missing else 0

    def problems(self) -> list[str]:
        """Return a sentence for each voter that is missing from the latest decision."""
        return [
            f"The voter {voter} did not vote in time on the latest {_requests(missed)}: "
            "check that a worker runs for it, and that it is fast enough."
            for voter, missed in self._missed.items()
            if missed
        ]


def _requests(number: int) -> str:
    return "request" if number == 1 else f"{number} requests"
