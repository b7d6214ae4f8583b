"""Worker whose classifier fails in a different way for each of some colors."""

import os
import signal
from collections.abc import Sequence
from typing import Any

from catdog_stream.app import app, main
from catdog_stream.models.pictures import Picture
from catdog_stream.models.verdict import Verdict
from tests.support.looking_worker import Looking

__all__ = ["DEADLY", "FAULTS", "FAULTY"]

#: Module of the worker.
FAULTY = "tests.support.faulty_worker"
#: Color that ends the process as a crash in a library does.
DEADLY = "magenta"
#: Color to the reason of its request's rejection.
FAULTS = {
    "yellow": "bad_verdict",
    "cyan": "bad_verdict",
    "lime": "bad_verdict",
    "white": "internal_error",
    "black": "internal_error",
}
_COLORS = {
    (255, 0, 255): "magenta",
    (255, 255, 0): "yellow",
    (0, 255, 255): "cyan",
    (0, 255, 0): "lime",
    (255, 255, 255): "white",
    (0, 0, 0): "black",
}


class Faulty(Looking):
    """Classifier with faults."""

    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        """Fail for the colors that have a fault."""
        verdicts: list[Any] = []
        for picture, verdict in zip(pictures, super().classify(pictures), strict=True):
            red, green, blue = (int(part) for part in picture[9, 9])
            match _COLORS.get((red, green, blue)):
                case "magenta":
                    os.kill(os.getpid(), signal.SIGKILL)
                case "yellow":
                    verdicts.append(Verdict({"cat": float("nan"), "dog": 0.5}, "instant 1"))
                case "cyan":
                    pass  # one verdict is missing
                case "lime":
                    verdicts.append(Verdict({"cat": 0.5, "cow": 0.5}, "instant 1"))
                case "white":
                    raise SystemExit(1)
                case "black":
                    raise StopIteration
                case _:
                    verdicts.append(verdict)
        return verdicts


if __name__ == "__main__":
    app.inference.load = Faulty
    main()
