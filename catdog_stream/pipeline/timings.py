"""Times at which a request reaches the stages of its processing, by a monotonic clock.

A stage is the time between two moments. Requests that are rejected early, and those that a jury
decides, skip some of the stages.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from catdog_stream import metrics

__all__ = ["STAGES", "Stage", "Timings", "observe_queue", "observe_stages"]

#: Name of each stage, and the moment at which it ends.
STAGES = (
    ("thread", "begun"),  # waiting for a decoding thread
    ("fetching", "fetched"),  # a picture that the request names by a reference, with its turn
    ("reading", "read"),  # parsing the request, decoding and preparing its picture
    ("batch", "batched"),  # waiting for a batch
    ("model", "decided"),  # inference of its batch
    ("votes", "voted"),  # waiting for votes, where a jury decides
    ("order", "handed_over"),  # waiting for the requests in front of it
    ("publishing", "confirmed"),  # waiting for Kafka's confirmation of the answer
)

#: Seconds. No request waits longer in a topic with the retention of this application.
MOST_IN_QUEUE = 7 * 24 * 60 * 60.0

#: Name, start and end of a stage.
Stage = tuple[str, float, float]


@dataclass(eq=False, slots=True)
class Timings:
    """Moments in seconds of ``time.perf_counter``; ``None`` for a moment that was not reached."""

    taken: float = field(default_factory=time.perf_counter)
    begun: float | None = None
    fetched: float | None = None
    read: float | None = None
    batched: float | None = None
    decided: float | None = None
    voted: float | None = None
    handed_over: float | None = None
    confirmed: float | None = None

    @property
    def seconds(self) -> float:
        """Time from taking the request to the confirmation of its answer; 0 before that."""
        return 0.0 if self.confirmed is None else self.confirmed - self.taken

    def note_batched(self) -> None:
        """Record that the request goes to the model now."""
        self.batched = time.perf_counter()

    def stages(self) -> Iterator[Stage]:
        """Yield the stages that the request has passed, in their order."""
        before = self.taken
        for name, end in STAGES:
            moment: float | None = getattr(self, end)
            if moment is not None:
                yield name, before, moment
                before = moment


_SECONDS = {name: metrics.STAGE_SECONDS.labels(name) for name, _ in STAGES}


def observe_stages(timings: Timings) -> None:
    """Add the duration of each stage to this worker's metrics."""
    for name, began, ended in timings.stages():
        _SECONDS[name].observe(ended - began)


def observe_queue(timestamp_ms: int | None, timings: Timings) -> None:
    """Add the time that an answered request has waited in Kafka to this worker's metrics.

    Args:
        timestamp_ms: time of the request's record in milliseconds since the epoch. Its producer
            may have set any value; a time in the future counts as now.
        timings: moments of the request, with its answer confirmed.
    """
    if timestamp_ms is not None:
        waited = time.time() - timings.seconds - timestamp_ms / 1000
        metrics.QUEUE_SECONDS.observe(min(max(0.0, waited), MOST_IN_QUEUE))
