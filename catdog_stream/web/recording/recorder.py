"""The observer of a worker's pipeline: takes its notes, and makes nothing of them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from catdog_stream.errors import RejectedRequest
from catdog_stream.pipeline.observing import Answered
from catdog_stream.raw_json import loads
from catdog_stream.web.bucket import Bucket
from catdog_stream.web.recording.history import History
from catdog_stream.web.recording.pictures import KEPT, Latest, Shot
from catdog_stream.wire import Source

__all__ = ["Recorder", "Rejected"]

#: Pictures a second that are kept at most, when many come.
PICTURES_PER_S = 1.0
#: Characters of a stranger's text that are kept.
MAX_TEXT = 400


@dataclass(frozen=True, slots=True)
class Rejected:
    """The latest request that was rejected for some reason."""

    #: Seconds since the epoch.
    at: float
    detail: str
    source: str


#: See ``Recorder``.
Age = Callable[[Source, float | None], float | None]


class Recorder:
    """Notes what a worker answers, for all of its life.

    Args:
        clock: seconds since the epoch.
        age: seconds since a record arrived, by its place and the seconds since the time that it
            states; ``None`` where nothing is known.
    """

    def __init__(
        self, clock: Callable[[], float] = time.time, *, age: Age = lambda _source, claimed: claimed
    ) -> None:
        self._clock = clock
        self._age = age
        self._bucket = Bucket(PICTURES_PER_S, KEPT)
        self._rejected: dict[str, Rejected] = {}
        self.history = History(clock)
        self.latest = Latest()

    @property
    def rejected(self) -> Mapping[str, Rejected]:
        """The latest rejected request of each reason."""
        return self._rejected

    def wants_picture(self) -> bool:
        """Whether another picture may be kept."""
        return self._bucket.take()

    def answered(self, answer: Answered) -> None:
        """Take note of one answer."""
        outcome, source = answer.outcome, str(answer.incoming.source)
        seconds = self._seconds(answer)
        if isinstance(outcome, RejectedRequest):
            self.history.note(None, seconds)
            self._rejected[outcome.reason.value] = Rejected(
                self._clock(), _text(outcome.detail), source
            )
            return
        verdict = outcome.verdict
        self.history.note(verdict.label, seconds)
        if answer.prepared is not None:
            shot = Shot(
                id=self.latest.next_id(),
                at=self._clock(),
                label=verdict.label,
                confidence=verdict.scores[verdict.likeliest],
                stack=verdict.stack,
                url=_text(outcome.url or ""),
                source=source,
            )
            self.latest.keep(shot, answer.prepared)

    def _seconds(self, answer: Answered) -> float:
        """Return the seconds from a request's arrival in Kafka to its confirmed answer."""
        stated = answer.incoming.timestamp_ms
        claimed = None if stated is None else self._clock() - stated / 1000
        age = self._age(answer.incoming.source, claimed)
        return max(answer.timings.seconds, age or 0.0)

    def heard(self, label: str, value: bytes | None, source: Source) -> None:
        """Take note of a label that another program has written: there is no picture to it."""
        if self._bucket.take():
            shot = Shot(
                self.latest.next_id(), self._clock(), label, 0.0, "", _url(value), str(source)
            )
            self.latest.keep(shot, None)


def _url(value: bytes | None) -> str:
    try:
        url = loads(value or b"")["url"]
    except (ValueError, KeyError, TypeError, IndexError):
        return ""
    return _text(url) if isinstance(url, str) else ""


def _text(text: str) -> str:
    """The beginning, without what is no character: UTF-8 could not carry it to other workers."""
    return text[:MAX_TEXT].encode("utf-8", "replace").decode()
