"""A shadow's process with a small classifier: ``python -m tests.support.odd_shadow SOCKET``.

It classifies light pictures as dark and dark pictures as light, so that it disagrees about nearly
everything; on a few shades of grey it hangs, raises an error or exits. The stack's directory is a
file instead: the process appends its process id and priority at each start.
"""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from catdog_stream.errors import StackError
from catdog_stream.models.pictures import Picture
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.shadow.process import Assignment, main
from tests.support.shade import Shade

HANGS, RAISES, ENDS = 250, 251, 252
#: Name of the directory of a stack that cannot be loaded.
BROKEN = "broken"


class Contrary(Shade):
    """Shade with its classes exchanged."""

    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        for picture in pictures:
            match round(float(picture.mean())):
                case shade if shade == HANGS:
                    threading.Event().wait()
                case shade if shade == RAISES:
                    raise ArithmeticError("no such shade")
                case shade if shade == ENDS:
                    os._exit(7)
        found = super().classify(pictures)
        return [
            Verdict(
                dict(zip(each.scores, reversed([*each.scores.values()]), strict=True)), each.stack
            )
            for each in found
        ]


def load(assignment: Assignment) -> Contrary:
    """Return the classifier. Raises ``StackError`` for a broken stack."""
    told = Path(assignment.model)
    if told.name == BROKEN:
        raise StackError(f"{told.name} cannot be used.")
    with told.open("a") as file:
        file.write(f"{os.getpid()} {os.nice(0)}\n")
    return Contrary("contrary")


if __name__ == "__main__":
    main(load)
