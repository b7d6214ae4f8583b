"""Answers that passed by lately, and requests that were sent from here: no more than so many."""

import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from catdog_stream.answers import Label
from catdog_stream.kafka.replies import Reply
from catdog_stream.topics import REQUESTS
from catdog_stream.web.api.answer import Answer
from catdog_stream.wire import Source

__all__ = ["Memory", "Sent"]

#: Of each kind. What is forgotten is looked up in Kafka.
KEPT = 4096
#: Characters of an answer that is kept; nearly all have a twentieth, with two classes.
MAX_SIZE = 8192
#: What the chance of a class takes beside its name, in such characters.
SCORE_SIZE = 100
#: Bytes that are read of a record that nobody here may ever ask for.
MAX_READ = 64 * 1024
#: Seconds for which a request is known to be there because it was just sent.
LATELY = 15.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that Kafka has confirmed."""

    url: str | None
    #: The connection that it was sent through, which lives no longer for it.
    through: "weakref.ref[object]"
    at: float


class Memory:
    """The latest answers and requests.

    Args:
        clock: seconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: OrderedDict[Source, Answer] = OrderedDict()
        self._sent: OrderedDict[Source, Sent] = OrderedDict()

    def note(self, reply: Reply) -> None:
        """Keep an answer; the first one that a request got stays."""
        source = reply.source
        if source is None or source.topic != REQUESTS:
            return
        if len(reply.record.value or b"") > MAX_READ and source not in self._sent:
            return  # a rejection with somebody else's picture in it
        self.keep(source, Answer.of(reply))

    def keep(self, source: Source, answer: Answer | None) -> None:
        """Keep the answer to the request at ``source``, if there is one and it is small."""
        if answer is not None and _size(answer) <= MAX_SIZE:
            self._answers.setdefault(source, answer)
            _shorten(self._answers)

    def answer(self, source: Source) -> Answer | None:
        """The answer to the request at ``source``, if it is known."""
        return self._answers.get(source)

    def note_sent(self, source: Source, url: str | None, through: object) -> None:
        """A request was sent through a connection that will tell its answer."""
        if len(url or "") <= MAX_SIZE:
            self._sent[source] = Sent(url, weakref.ref(through), self._clock())
            _shorten(self._sent)

    def sent(self, source: Source) -> Sent | None:
        """The request at ``source``, if it was sent from here lately."""
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
