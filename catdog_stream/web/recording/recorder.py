"""Observer of a worker's pipeline that records answers for the page."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from catdog_stream.errors import RejectedRequest
from catdog_stream.messages.raw_json import loads
from catdog_stream.messages.requests.request import RequestParser
from catdog_stream.messages.wire import Source
from catdog_stream.models.pictures import PictureLimits
from catdog_stream.pipeline.observing import Answered, Observer
from catdog_stream.web.bucket import Bucket
from catdog_stream.web.recording.history import History
from catdog_stream.web.recording.pictures import KEPT, Latest, Shot

__all__ = ["Recorder", "Rejected"]

#: Maximum number of pictures per second that are kept.
PICTURES_PER_S = 1.0
#: Maximum characters kept of untrusted text.
MAX_TEXT = 400


@dataclass(frozen=True, slots=True)
class Rejected:
    """Latest rejected request of a reason."""

    #: Seconds since the epoch.
    at: float
    detail: str
    source: str


#: Type of the argument ``age`` of ``Recorder``.
Age = Callable[[Source, float | None], float | None]


class Recorder(Observer):
    """Recorder of a worker's answers, from its start to its end.

    Args:
        clock: seconds since the epoch.
        limits: size limits of a picture.
        parser: parser of the requests.
        age: returns the seconds since a record arrived, from its position and its age by its own
            timestamp; ``None`` if unknown.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        *,
        limits: PictureLimits,
        parser: RequestParser,
        age: Age = lambda _source, claimed: claimed,
    ) -> None:
        self._clock = clock
        self._age = age
        self._bucket = Bucket(PICTURES_PER_S, KEPT)
        self._rejected: dict[str, Rejected] = {}
        self.history = History(clock)
        self.latest = Latest(limits, parser)

    @property
    def rejected(self) -> Mapping[str, Rejected]:
        """Latest rejected request of each reason."""
        return self._rejected

    def wants_picture(self) -> bool:
        """Return true if another picture may be kept."""
        return self._bucket.take()

    def answered(self, answer: Answered) -> None:
        """Record one answer."""
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
            self.latest.keep(shot, answer.prepared, answer.incoming)

    def _seconds(self, answer: Answered) -> float:
        """Return the seconds from a request's arrival in Kafka to its confirmed answer."""
        stated = answer.incoming.timestamp_ms
        claimed = None if stated is None else self._clock() - stated / 1000
        age = self._age(answer.incoming.source, claimed)
        return max(answer.timings.seconds, age or 0.0)

    def foreign_label(self, label: str, value: bytes | None, source: Source) -> None:
        """Record a label of another program, which has no picture."""
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
    """Cut the text, and replace invalid characters, which UTF-8 cannot carry to other workers."""
    return text[:MAX_TEXT].encode("utf-8", "replace").decode()
