"""Bounded memory of recent answers, and of requests that this worker sent."""

import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from catdog_stream.kafka.replies import Reply
from catdog_stream.messages.answers import Label
from catdog_stream.messages.wire import Source
from catdog_stream.web.api.answer import Answer

__all__ = ["Memory", "Sent"]

#: Maximum number of each kind. Forgotten entries are looked up in Kafka.
KEPT = 4096
#: Maximum characters of an answer in memory; nearly all have a twentieth of it, with two classes.
MAX_SIZE = 8192
#: Size of a class's probability, without the name, in characters.
SCORE_SIZE = 100
#: Maximum bytes to parse of a record for which no client of this worker may ever ask.
MAX_READ = 64 * 1024
#: Seconds for which a sent request is known to exist without a lookup.
LATELY = 15.0


@dataclass(frozen=True, slots=True)
class Sent:
    """Request that Kafka has confirmed."""

    url: str | None
    #: Connection through which the request was sent; this reference does not keep it alive.
    through: "weakref.ref[object]"
    at: float


class Memory:
    """Latest answers and requests.

    Args:
        requests_topic: name of the topic of requests.
        clock: monotonic clock, in seconds.
    """

    def __init__(self, requests_topic: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._requests_topic = requests_topic
        self._clock = clock
        self._answers: OrderedDict[Source, Answer] = OrderedDict()
        self._sent: OrderedDict[Source, Sent] = OrderedDict()

    def note(self, reply: Reply) -> None:
        """Keep an answer; the first answer to a request stays."""
        source = reply.source
        if source is None or source.topic != self._requests_topic:
            return
        if len(reply.record.value or b"") > MAX_READ and source not in self._sent:
            return  # a rejection with the picture of a foreign client
        self.keep(source, Answer.of(reply))

    def keep(self, source: Source, answer: Answer | None) -> None:
        """Keep the answer to the request at ``source``, if there is one and it is small."""
        if answer is not None and _size(answer) <= MAX_SIZE:
            self._answers.setdefault(source, answer)
            _shorten(self._answers)

    def answer(self, source: Source) -> Answer | None:
        """Return the answer to the request at ``source``, if it is known."""
        return self._answers.get(source)

    def note_sent(self, source: Source, url: str | None, through: object) -> None:
        """Note a request that was sent through a connection that will receive its answer."""
        if len(url or "") <= MAX_SIZE:
            self._sent[source] = Sent(url, weakref.ref(through), self._clock())
            _shorten(self._sent)

    def sent(self, source: Source) -> Sent | None:
        """Return the request at ``source``, if this worker sent it recently."""
        sent = self._sent.get(source)
        return sent if sent is not None and self._clock() - sent.at < LATELY else None


def _shorten(kept: OrderedDict[Source, Answer] | OrderedDict[Source, Sent]) -> None:
    while len(kept) > KEPT:
        kept.popitem(last=False)


def _size(answer: Answer) -> int:
    content = answer.content
    if isinstance(content, Label):
        names = sum(len(name) + SCORE_SIZE for name in content.scores)
        texts: tuple[str | None, ...] = (content.text, content.verdict, content.stack)
        return names + sum(len(text or "") for text in (*texts, content.url))
    return len(content.reason) + len(content.detail) + len(content.url or "")
