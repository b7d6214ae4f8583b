"""Worker whose model answers at once, to measure the cost of everything around the model."""

import threading
import time
from contextlib import suppress
from pathlib import Path

from mode.threads import WorkerThread

from catdog_stream.app import app, main
from catdog_stream.testing import InstantClassifier

#: Threads start when they are first needed.
NAMING_SECONDS = 0.25
#: Length of a thread's name in Linux, in bytes.
NAME_LENGTH = 15


def name_threads() -> None:
    """Set the threads' names in the kernel, again and again: Python before 3.14 does not."""
    while True:
        for thread in threading.enumerate():
            # Faust runs one service in a thread of its own.
            name = "consumer" if isinstance(thread, WorkerThread) else thread.name
            with suppress(OSError):  # the thread has just ended, or this is not Linux
                Path(f"/proc/self/task/{thread.native_id}/comm").write_text(
                    name.removesuffix("Thread").lower()[:NAME_LENGTH]
                )
        time.sleep(NAMING_SECONDS)


if __name__ == "__main__":
    app.inference.load = lambda _: InstantClassifier({"cat": 1.0, "dog": 0.0})
    threading.Thread(target=name_threads, name="naming", daemon=True).start()
    main()
