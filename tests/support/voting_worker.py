"""Real worker with a model that costs nothing: ``python -m tests.support.voting_worker``.

``CATDOG_TEST_CAT`` is the score of a cat that it gives every picture. It rejects a picture that is
the text ``bad``; the voter NAME rejects a picture that is the text ``bad for NAME``, too.
"""

import os

from catdog_stream.app import app, main
from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.models.pictures import Picture
from catdog_stream.settings import Settings
from catdog_stream.testing.classifiers import InstantClassifier

BAD = (b"bad", f"bad for {app.settings.voter}".encode())


class Voter(InstantClassifier):
    """Classifier that rejects the pictures in ``BAD``."""

    def prepare(self, data: bytes) -> Picture:
        """Return a grey pixel."""
        if data in BAD:
            raise RejectedRequest(Reason.NOT_AN_IMAGE, "It is no picture.")
        return super().prepare(data)


def load(_settings: Settings) -> Voter:
    """Return the classifier with the configured score."""
    cat = float(os.environ.get("CATDOG_TEST_CAT", "0.5"))
    return Voter({"cat": cat, "dog": 1 - cat})


if __name__ == "__main__":
    app.inference.load = load
    main()
