"""Worker whose classifier takes at most ``CATDOG_TEST_RATE`` pictures a second."""

import os
import time
from collections.abc import Sequence
from threading import Lock

from catdog_stream.app import app, main
from catdog_stream.models.pictures import Picture
from catdog_stream.models.verdict import Verdict
from catdog_stream.settings import Settings
from tests.support.looking_worker import Looking


class Slow(Looking):
    """Classifier of one batch at a time, at the given rate."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._seconds = 1 / float(os.environ["CATDOG_TEST_RATE"])
        self._one = Lock()

    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        """Return the verdicts on the pictures after the time that they take."""
        with self._one:
            time.sleep(len(pictures) * self._seconds)
        return super().classify(pictures)


if __name__ == "__main__":
    app.inference.load = Slow
    main()
