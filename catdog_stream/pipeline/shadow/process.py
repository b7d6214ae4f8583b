"""The shadow's own process: ``python -m catdog_stream.pipeline.shadow.process SOCKET``.

It receives over the socket the stack to load, reports when it is ready, and answers one picture
after the other. It ends when the socket is closed, so also when the worker is killed.
"""

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

from catdog_stream.errors import RejectedRequest
from catdog_stream.messages.wire import Source
from catdog_stream.models.classifier import Classifier
from catdog_stream.models.pictures import PictureLimits
from catdog_stream.models.stacks.loading import Engine
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.shadow.comparing import compare
from catdog_stream.pipeline.shadow.frames import receive, send
from catdog_stream.pipeline.shadow.keeping import Keeping

__all__ = ["Assignment", "main"]

#: Makes the kernel kill this process first if memory runs out (Linux).
_OOM_SCORE = Path("/proc/self/oom_score_adj")


@dataclass(frozen=True, slots=True)
class Assignment:
    """Task of a shadow, in values that JSON can hold."""

    model: str
    """Folder of the stack, or a Python class, ``package.module:factory``."""
    engine: Engine
    batch: int | None
    max_bytes: int
    """Largest size of a picture file, in bytes."""
    max_pixels: int
    """Largest size of a picture, in pixels."""
    folder: str | None
    """Folder for pictures on which the stacks disagree."""
    onnx_provider: str = "cpu"
    """Execution provider of ONNX Runtime."""
    turned_copies: bool = False
    """``True`` if a picture on which the stack is unsure is classified in all four orientations."""

    @property
    def limits(self) -> PictureLimits:
        """Size limits of a picture."""
        return PictureLimits(max_bytes=self.max_bytes, max_pixels=self.max_pixels)


def load_stack(assignment: Assignment) -> Classifier:
    """Load the stack, on one thread, and check its golden pictures. Raises ``StackError``."""
    directory = Path(assignment.model)
    stack = ModelStack.load(
        directory,
        engine=assignment.engine,
        threads=1,
        batch=assignment.batch,
        limits=assignment.limits,
        turned_copies=assignment.turned_copies,
        onnx_provider=assignment.onnx_provider,
    )
    stack.check_golden(directory)
    return stack


def main(load: Callable[[Assignment], Classifier] = load_stack) -> None:
    """Serve the worker at the other end of the socket until the socket is closed."""
    os.nice(19)
    with suppress(OSError):
        _OOM_SCORE.write_text("1000")
    connection = socket.socket(fileno=int(sys.argv[1]))
    document, _ = receive(connection)
    assignment = Assignment(**document)
    try:
        classifier = load(assignment)
        classifier.warm_up()
    except Exception as error:  # noqa: BLE001 - the worker reports it, whatever it is
        send(connection, {"problem": str(error) or repr(error)})
        return
    keeping = Keeping(Path(assignment.folder)) if assignment.folder is not None else None
    send(
        connection,
        {
            "stack": f"{classifier.name} {classifier.version}",
            "engine": classifier.engine,
            "classes": list(classifier.classes),
        },
    )
    for question, picture in _questions(connection):
        answer = _answer(classifier, keeping, question, picture)
        with suppress(ConnectionError):  # the worker is gone: the reading thread ends the process
            send(connection, answer)


def _questions(connection: socket.socket) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Yield the received messages; end the process at once when the socket is closed."""
    come: SimpleQueue[tuple[dict[str, Any], bytes]] = SimpleQueue()

    def read() -> None:
        try:
            while True:
                come.put(receive(connection))
        except EOFError:
            os._exit(0)

    Thread(target=read, daemon=True).start()
    while True:
        yield come.get()


def _answer(
    classifier: Classifier, keeping: Keeping | None, question: dict[str, Any], picture: bytes
) -> dict[str, Any]:
    answered = Verdict(question["scores"], question["stack"], unknown=question["unknown"])
    started, cpu_started = time.perf_counter(), time.process_time()
    try:
        (reply,) = classifier.classify([classifier.prepare(picture)])
    except RejectedRequest as rejection:
        return {"rejected": rejection.reason}
    except Exception as error:  # noqa: BLE001 - the next picture must still be served
        return {"problem": f"It failed on a picture: {error!r}."}
    cost = {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu_started,
    }
    compared = compare(answered, reply)
    found = {"agree": compared.agree, "difference": compared.difference, **cost}
    if keeping is not None and not compared.agree:
        source = Source.parse(question["source"].encode())
        assert source is not None
        try:
            keeping.keep(source, picture, answered, reply)
        except OSError as error:
            return {**found, "not_kept": f"{keeping.folder} cannot be used: {error.strerror}."}
    return found


if __name__ == "__main__":
    main()
