"""Apps for further agents: what to get right around a Faust agent is got right here.

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

from catdog_stream.answers import Label, Rejection
from catdog_stream.errors import SettingError
from catdog_stream.kafka.request_reader import RequestReader
from catdog_stream.settings import Settings
from catdog_stream.topics import LABELS, REJECTED, topic_configs
from catdog_stream.wire import Source
from catdog_stream.worker.stream_app import StreamApp

__all__ = ["Joined", "PipelineApp"]

#: Seconds within which an answer that was published a second time is known again: longer than
#: partitions move, and a worker's outage.
REPEATED_WITHIN = 600.0
#: Answers that are known again at most, the latest: 60 MB.
MAX_KNOWN = 200_000


@dataclass(frozen=True, slots=True)
class Joined:
    """An answer with the request that it answers."""

    source: Source
    #: What came in: value, headers, key, time. ``None`` where Kafka holds it no more.
    request: ConsumerRecord | None
    #: One of the two is there.
    label: Label | None
    rejection: Rejection | None


class _WithoutWeb(BootStrategy):
    """Faust would serve its own pages to the whole network."""

    def web_server(self) -> Iterable[ServiceT]:
        return ()


class PipelineApp(StreamApp):
    """A Faust app of one's own beside this one, on the same cluster.

    It takes ``CATDOG_BROKER`` and the settings of security from the environment, reads records as
    large as they come, from the earliest on, skips none at a restart, serves no web pages, and
    ends with exit code 1 when an agent fails, with what the agent failed on still to be read.

    Args:
        name: its id, and that of its consumer group: one for each app.
        settings: in place of the environment's. Without them, one of those that cannot be used ends
            the process with a sentence: Faust imports an app before anybody could catch an error.
        options: Faust's own settings.
    """

    BootStrategy = _WithoutWeb

    def __init__(self, name: str, settings: Settings | None = None, **options: Any) -> None:
        try:
            super().__init__(name, settings or Settings.from_environment(), **options)
        except SettingError as error:
            error.show()
            raise SystemExit(error.exit_code) from None

    def raw_topic(self, *names: str) -> faust.TopicT:
        """One or more topics of bytes, made before the first record goes in where one is missing.

        Nothing in them can end an agent: what is read is parsed by the agent itself.
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
        """Labels and rejections in one, for ``joined``."""
        return self.raw_topic(LABELS, REJECTED)

    async def joined(
        self, stream: faust.StreamT[bytes], *, expiry: float = REPEATED_WITHIN
    ) -> AsyncIterator[Joined]:
        """Each answer of a stream of ``answers()`` with its request, each request once.

        Nothing waits and nothing is kept, so that nothing is lost at a restart: an answer says
        where its request stands, and the request is read from there. Answers that name no request
        are passed over: another program has written them.

        Args:
            stream: what the agent is given.
            expiry: seconds after which an answer that comes again is taken for a new one; so is one
                behind ``MAX_KNOWN`` others.

        Raises:
            BrokerError: a request could not be read.
        """
        recent = Recent(expiry)
        async with RequestReader(self.settings.cluster) as requests:
            async for event in stream.events():
                label, rejection = _read(event)
                source = label.source if label else rejection.source if rejection else None
                if source is not None and recent.is_new(source):
                    yield Joined(source, await requests.of(source), label, rejection)


def _read(event: EventT[Any]) -> tuple[Label | None, Rejection | None]:
    if event.message.topic == LABELS:
        return Label.parse(event.value, event.headers), None
    return None, Rejection.parse(event.value, event.headers)


class Recent:
    """Memory of the last sources that it was asked about, bounded in time and number.

    Args:
        expiry: seconds.
        clock: seconds that never go back.
        most: sources that are remembered; anybody may write an answer with a source.
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
        """Whether it is asked about ``source`` for the first time, or after a long time."""
        now = self._clock()
        while self._seen:  # in the order in which they came
            oldest, seen = next(iter(self._seen.items()))
            if now - seen < self._expiry and len(self._seen) <= self._most:
                break
            del self._seen[oldest]
        if source in self._seen:
            return False
        self._seen[source] = now
        return True
