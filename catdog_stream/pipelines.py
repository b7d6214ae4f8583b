"""Faust apps for further agents, with safe defaults for delivery, security and large records.

::

    app = PipelineApp("audit")

    @app.agent(app.answers())
    async def audit(records):
        async for joined in app.joined(records):
            print(joined.source, joined.label or joined.rejection)
"""

import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import faust
from aiokafka import ConsumerRecord
from faust.app.base import BootStrategy
from faust.types import EventT, ServiceT

from catdog_stream.errors import exit_with_sentence
from catdog_stream.kafka.request_reader import RequestReader
from catdog_stream.kafka.topics import topic_configs
from catdog_stream.messages.answers import Label, Rejection
from catdog_stream.messages.wire import Source
from catdog_stream.settings import Settings
from catdog_stream.worker.stream_app import StreamApp

__all__ = ["Joined", "PipelineApp"]

#: Seconds within which a duplicate of an answer is detected: longer than a rebalance, and longer
#: than a worker's outage.
REPEATED_WITHIN = 600.0
#: Maximum number of answers remembered, the latest: 60 MB.
MAX_KNOWN = 200_000


@dataclass(frozen=True, slots=True)
class Joined:
    """Answer with the request that it answers."""

    source: Source
    #: The request's record: value, headers, key, time. ``None`` if Kafka has deleted it.
    request: ConsumerRecord | None
    #: Exactly one of ``label`` and ``rejection`` is set.
    label: Label | None
    rejection: Rejection | None


class _WithoutWeb(BootStrategy):
    """Boot strategy without a web server: Faust would serve its own pages to the whole network."""

    def web_server(self) -> Iterable[ServiceT]:
        return ()


class PipelineApp(StreamApp):
    """Faust app beside this application, on the same cluster.

    Takes ``CATDOG_BROKER`` and the security settings from the environment, reads records of any
    size from the earliest offset, skips no record at a restart, and serves no web pages. When an
    agent fails, the process ends with exit code 1, and the record that failed stays unread.

    Args:
        name: its id and that of its consumer group: unique for each app.
        settings: used instead of the environment. Without them, a setting that cannot be used ends
            the process with one sentence, because Faust imports an app before any code could catch
            an error.
        options: Faust's own settings.
    """

    BootStrategy = _WithoutWeb

    def __init__(self, name: str, settings: Settings | None = None, **options: Any) -> None:
        with exit_with_sentence():
            super().__init__(name, settings or Settings.from_environment(), **options)

    def raw_topic(self, *names: str) -> faust.TopicT:
        """Declare one or more topics of bytes; missing topics are created before the first record.

        No record in them can end an agent: the agent parses the bytes itself.
        """
        return self.topic(
            *names,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            allow_empty=True,
            internal=True,
            config=topic_configs(self.settings.cluster).get(names[0], {}),
        )

    def answers(self) -> faust.TopicT:
        """Declare labels and rejections as one topic, for ``joined``."""
        return self.raw_topic(
            self.settings.cluster.names.labels, self.settings.cluster.names.rejected
        )

    async def joined(
        self, stream: faust.StreamT[bytes], *, expiry: float = REPEATED_WITHIN
    ) -> AsyncIterator[Joined]:
        """Yield each answer of a stream of ``answers()`` with its request, each request once.

        Nothing is buffered, so no restart loses an answer: an answer names the position of its
        request, and the request is read from that position. Answers without a source are skipped,
        because another program wrote them.

        Args:
            stream: the stream that Faust passes to the agent.
            expiry: seconds after which a duplicate counts as a new answer. A duplicate also counts
                as new after ``MAX_KNOWN`` other answers.

        Raises:
            BrokerError: a request could not be read.
        """
        recent = Recent(expiry)
        async with RequestReader(self.settings.cluster) as requests:
            async for event in stream.events():
                label, rejection = _read(event, self.settings.cluster.names.labels)
                source = label.source if label else rejection.source if rejection else None
                if source is not None and recent.is_new(source):
                    yield Joined(source, await requests.of(source), label, rejection)


def _read(event: EventT[Any], labels: str) -> tuple[Label | None, Rejection | None]:
    if event.message.topic == labels:
        return Label.parse(event.value, event.headers), None
    return None, Rejection.parse(event.value, event.headers)


class Recent:
    """Memory of the last sources, bounded in time and number.

    Args:
        expiry: seconds.
        clock: monotonic clock, in seconds.
        most: maximum number of sources; untrusted clients may write answers with any source.
    """

    def __init__(
        self,
        expiry: float,
        clock: Callable[[], float] = time.monotonic,
        *,
        most: int = MAX_KNOWN,
    ) -> None:
        self._expiry = expiry
        self._clock = clock
        self._most = most
        self._seen: dict[Source, float] = {}

    def is_new(self, source: Source) -> bool:
        """Return true if ``source`` was not passed within ``expiry``, and remember it."""
        now = self._clock()
        while self._seen:  # oldest first
            oldest, seen = next(iter(self._seen.items()))
            if now - seen < self._expiry and len(self._seen) <= self._most:
                break
            del self._seen[oldest]
        if source in self._seen:
            return False
        self._seen[source] = now
        return True
