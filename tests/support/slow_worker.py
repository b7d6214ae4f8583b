"""A worker whose classifier takes ``CATDOG_TEST_RATE`` pictures a second and no more."""

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
    """Classifies one batch at a time, each as slowly as the rate says."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._seconds = 1 / float(os.environ["CATDOG_TEST_RATE"])
        self._one = Lock()

    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        """Their verdicts, after the time that they take."""
        with self._one:
            time.sleep(len(pictures) * self._seconds)
        return super().classify(pictures)


if __name__ == "__main__":
    app.inference.load = Slow
    main()
