"""Worker whose classifier answers only while a file exists: ``CATDOG_TEST_GATE`` names it."""

import os
from collections.abc import Sequence
from pathlib import Path

from catdog_stream.app import app, main
from catdog_stream.models.pictures import Picture
from catdog_stream.models.verdict import Verdict
from catdog_stream.settings import Settings
from catdog_stream.testing import wait_until
from tests.support.looking_worker import Looking


class Holding(Looking):
    """Classifier that waits for a file."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._gate = Path(os.environ["CATDOG_TEST_GATE"])

    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        """Return the verdicts on the pictures when the file exists."""
        wait_until(self._gate.exists, "the gate to open", 120)
        return super().classify(pictures)


if __name__ == "__main__":
    app.inference.load = Holding
    main()
