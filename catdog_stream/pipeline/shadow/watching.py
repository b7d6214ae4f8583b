"""Worker's side of a shadow: sends answers to its process, and counts the comparisons."""

import logging
from collections.abc import Callable, Collection
from threading import Event, Lock, Thread
from typing import Any

from catdog_stream import metrics
from catdog_stream.errors import StackError
from catdog_stream.messages.wire import Source
from catdog_stream.models.classes import listed
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.sampling import Sample
from catdog_stream.pipeline.shadow.child import Child, ShadowError
from catdog_stream.pipeline.shadow.comparing import Comparison, Tally
from catdog_stream.pipeline.shadow.process import Assignment
from catdog_stream.pipeline.shadow.waiting import Seen, Waiting

__all__ = ["STACK_PROCESS", "Shadow"]

logger = logging.getLogger(__name__)

MOST_WAITING = 32
MOST_WAITING_BYTES = 32 * 1024 * 1024
#: Module that the process of a shadow runs if it is a stack.
STACK_PROCESS = "catdog_stream.pipeline.shadow.process"
#: Ratio of the time limit for loading to that for one picture.
START_PATIENCE = 10
#: Seconds before the first restart, doubled for each until one classifies a picture; upper limit.
PAUSE, LONGEST_PAUSE = 1.0, 300.0


class Shadow:
    """Client of a process with another stack: sends answers, and counts the comparisons.

    A failure of that process does not affect the worker. The process is restarted when it ends or
    exceeds a time limit. Answers that do not fit into the queue meanwhile are dropped and counted.

    Args:
        sample: requests whose pictures are sent.
        assign: returns the assignment for each start. May raise ``StackError``.
        patience: time limit for one picture, in seconds.
        module: Python module that the process runs.
        pause: seconds before the first restart.
    """

    def __init__(
        self,
        sample: Sample,
        assign: Callable[[], Assignment],
        *,
        patience: float,
        module: str = STACK_PROCESS,
        pause: float = PAUSE,
    ) -> None:
        self.sample = sample
        #: Name and version of its stack; ``None`` until it is loaded.
        self.stack: str | None = None
        #: Why it cannot classify or keep pictures; ``None`` while it can.
        self.problem: str | None = None
        #: Comparisons by the stack that answered.
        self.tallies: dict[str, Tally] = {}
        self.dropped = 0
        self._assign = assign
        self._patience = patience
        self._module = module
        self._first_pause = self._pause = pause
        self._waiting = Waiting(MOST_WAITING, MOST_WAITING_BYTES)
        self._stopping = Event()
        self._lock = Lock()
        self._child: Child | None = None
        self._thread = Thread(target=self._work, name="shadow", daemon=True)

    def start(self) -> None:
        """Start to load the stack; return at once."""
        self._thread.start()

    def stop(self) -> None:
        """Kill the process and end the thread; block for a moment."""
        with self._lock:
            self._stopping.set()
            if self._child is not None:
                self._child.kill()
        self._waiting.close()
        self._thread.join()

    def see(self, source: Source, picture: bytes, verdict: Verdict) -> None:
        """Queue an answer for comparison, or drop it if the queue is full. Does not block."""
        if not self._waiting.put(Seen(source, picture, verdict)):
            self.dropped += 1
            metrics.SHADOW_PICTURES.labels(metrics.stack_value(verdict.stack), "dropped").inc()

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                self._watch()
            except Exception as error:
                if self._stopping.is_set():
                    return
                self.problem = str(error) or repr(error)
                metrics.SHADOW_FAILURES.inc()
                known = isinstance(error, ShadowError | StackError)
                logger.warning(
                    "The shadow failed: %s Starting it again in %g s.",
                    self.problem,
                    self._pause,
                    exc_info=None if known else error,
                )
                self._stopping.wait(self._pause)
                self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _watch(self) -> None:
        """Send pictures to one process until stopped. Raises when the process cannot continue."""
        assignment = self._assign()
        with self._lock:
            if self._stopping.is_set():
                return
            child = self._child = Child(self._module)
        try:
            reply = child.begin(assignment, START_PATIENCE * self._patience)
            if "problem" in reply:
                raise ShadowError(reply["problem"])
            self.stack, self.problem = reply["stack"], None
            name, _, version = reply["stack"].partition(" ")
            metrics.SHADOW.info({"name": name, "version": version, "engine": reply["engine"]})
            logger.info("The shadow %s looks on.", self.stack)
            classes = dict.fromkeys(reply["classes"])
            while (seen := self._waiting.take()) is not None:
                verdict = seen.verdict
                if verdict.scores.keys() == classes.keys():
                    compared = child.look(seen, self._patience)
                else:
                    compared = {"problem": _other_classes(self.stack, classes, verdict)}
                self._count(verdict.stack, compared)
        finally:
            with self._lock:
                self._child = None
            child.close()

    def _count(self, answered: str, reply: dict[str, Any]) -> None:
        self._pause = self._first_pause
        answered = metrics.stack_value(answered)
        if "problem" in reply:
            outcome = "failed"
        elif "rejected" in reply:
            outcome = "rejected"
        else:
            outcome = "agreed" if reply["agree"] else "disagreed"
            self._compared(answered, Comparison(reply["agree"], reply["difference"]))
            metrics.SHADOW_SECONDS.observe(reply["seconds"])
            metrics.SHADOW_CPU_SECONDS.inc(reply["cpu_seconds"])
        metrics.SHADOW_PICTURES.labels(answered, outcome).inc()
        self.problem = reply.get("problem") or reply.get("not_kept")

    def _compared(self, answered: str, comparison: Comparison) -> None:
        tally = self.tallies.setdefault(answered, Tally())
        tally.add(comparison)
        metrics.SHADOW_DIFFERENCE.labels(answered).observe(comparison.difference)
        metrics.SHADOW_LARGEST_DIFFERENCE.labels(answered).set(tally.largest)


def _other_classes(stack: str | None, classes: Collection[str], answered: Verdict) -> str:
    return (
        f"The shadow {stack} has the classes {listed(classes)}, and {answered.stack} has "
        f"{listed(answered.scores)}: their verdicts cannot be compared."
    )
