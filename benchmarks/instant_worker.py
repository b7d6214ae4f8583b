"""A worker whose model answers at once: what is left is the cost of everything around it."""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from mode.threads import WorkerThread

from catdog_stream.app import app, main
from catdog_stream.models.pictures import Picture
from catdog_stream.models.verdict import Verdict
from catdog_stream.settings import Settings

__all__ = ["InstantStack"]

CAT = Verdict({"cat": 1.0, "dog": 0.0}, "instant 1")
GREY: Picture = np.full((1, 1, 3), 128, np.uint8)

#: Threads start when they are needed first.
NAMING_SECONDS = 0.25
#: What Linux keeps of a thread's name.
NAME_LENGTH = 15


class InstantStack:
    """Says that everything is a cat, without looking."""

    name, version, engine = "instant", "1", "none"
    classes = ("cat", "dog")
    batch_size, on_gpu = 8, False

    def prepare(self, _data: bytes) -> Picture:
        """A grey pixel."""
        return GREY

    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        """Cats."""
        return [CAT] * len(pictures)

    def warm_up(self) -> None:
        """It is warm."""

    def close(self) -> None:
        """It holds nothing."""


def load_instant(_settings: Settings) -> InstantStack:
    """The instant stack, whatever the settings say."""
    return InstantStack()


def name_threads() -> None:
    """Tell the kernel the threads' names, for ever: before 3.14 Python keeps them to itself."""
    while True:
        for thread in threading.enumerate():
            # Faust has one service with a thread of its own.
            name = "consumer" if isinstance(thread, WorkerThread) else thread.name
            with suppress(OSError):  # it has just ended, or this is not Linux
                Path(f"/proc/self/task/{thread.native_id}/comm").write_text(
                    name.removesuffix("Thread").lower()[:NAME_LENGTH]
                )
        time.sleep(NAMING_SECONDS)


if __name__ == "__main__":
    app.classifying.load = load_instant
    threading.Thread(target=name_threads, name="naming", daemon=True).start()
    main()
