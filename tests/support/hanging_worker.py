"""Real worker whose model hangs on a picture that is all magenta.

With ``LOADED_ONCE`` in the environment there is no second model to take its place.
"""

import os
import threading
from collections.abc import Sequence

from catdog_stream.app import app, main
from catdog_stream.errors import StackError
from catdog_stream.models.pictures import Picture
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.models.verdict import Verdict
from catdog_stream.settings import Settings
from catdog_stream.worker.loading import load_stack

LOADED_ONCE = "LOADED_ONCE"
MAGENTA = (255, 0, 255)


class HangingStack:
    """Real stack that hangs on one color."""

    def __init__(self, stack: ModelStack) -> None:
        self._stack = stack
        self.name, self.version, self.engine = stack.name, stack.version, stack.engine
        self.batch_size, self.on_gpu = stack.batch_size, stack.on_gpu
        self.classes = stack.classes
        self.prepare, self.warm_up, self.close = stack.prepare, stack.warm_up, stack.close

    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        """Hang for ever if one of the pictures is magenta."""
        if any((picture == MAGENTA).all() for picture in pictures):
            threading.Event().wait()
        return self._stack.classify(pictures)


def load_hanging(settings: Settings) -> HangingStack:
    """Return the stack of the settings, changed so that it hangs."""
    if LOADED_ONCE in os.environ and app.inference.warm:
        raise StackError("The stack was removed.")
    return HangingStack(load_stack(settings))


if __name__ == "__main__":
    app.inference.load = load_hanging
    main()
