"""When a request reached which stage of its way, by a clock that never goes back.

A stage is what lies between two moments. Requests that are rejected early, and those that a jury
decides, do not reach all of them.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from catdog_stream import metrics

__all__ = ["STAGES", "Stage", "Timings", "note_queue", "note_stages"]

#: What a stage is called, and the moment at which it ends.
STAGES = (
    ("thread", "begun"),  # waiting for a thread that reads it
    ("reading", "read"),  # parsing it, decoding and preparing its picture
    ("batch", "batched"),  # waiting for a batch
    ("model", "decided"),  # the batch that it was in
    ("votes", "voted"),  # waiting for votes, where a jury decides
    ("order", "handed_over"),  # waiting for those in front of it
    ("publishing", "confirmed"),  # Kafka's confirmation of the answer
)

#: Seconds. No request waits longer in a topic whose retention is that of this application.
MOST_IN_QUEUE = 7 * 24 * 60 * 60.0

#: Its name, when it began, and when it ended.
Stage = tuple[str, float, float]


@dataclass(eq=False, slots=True)
class Timings:
    """Seconds of ``time.perf_counter``; ``None`` is what was not reached."""

    taken: float = field(default_factory=time.perf_counter)
    begun: float | None = None
    read: float | None = None
    batched: float | None = None
    decided: float | None = None
    voted: float | None = None
    handed_over: float | None = None
    confirmed: float | None = None

    @property
    def seconds(self) -> float:
        """From taking the request to Kafka's confirmation of its answer; 0 before that."""
        return 0.0 if self.confirmed is None else self.confirmed - self.taken

    def note_batched(self) -> None:
        """It goes to the model now."""
        self.batched = time.perf_counter()

    def stages(self) -> Iterator[Stage]:
        """The stages that it went through, in their order."""
        before = self.taken
        for name, end in STAGES:
            moment: float | None = getattr(self, end)
            if moment is not None:
                yield name, before, moment
                before = moment


_SECONDS = {name: metrics.STAGE_SECONDS.labels(name) for name, _ in STAGES}


def note_stages(timings: Timings) -> None:
    """Put them into this worker's metrics."""
    for name, began, ended in timings.stages():
        _SECONDS[name].observe(ended - began)


def note_queue(timestamp_ms: int | None, timings: Timings) -> None:
    """Note in this worker's metrics how long an answered request has waited in Kafka.

    Args:
        timestamp_ms: the time of the request's record in milliseconds since the epoch; its producer
            may have set it to anything. One in the future counts as now.
        moments: of the request, with its answer confirmed.
    """
    if timestamp_ms is not None:
        waited = time.time() - timings.seconds - timestamp_ms / 1000
        metrics.QUEUE_SECONDS.observe(min(max(0.0, waited), MOST_IN_QUEUE))
