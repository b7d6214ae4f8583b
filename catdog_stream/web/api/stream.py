"""Access of the API to the stream: sends pictures, receives answers, and looks up others."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

from aiokafka.errors import KafkaError

from catdog_stream import deadlines
from catdog_stream.errors import BrokerError, Refusal
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.explanations import Access, broker_error
from catdog_stream.kafka.lookup import Lookup, lookup
from catdog_stream.kafka.replies import Reply
from catdog_stream.kafka.request_reply import Question, RequestReply, request_reply
from catdog_stream.memory import LOOKUPS, SENDING, sending_bytes
from catdog_stream.messages.requests.request import RequestParser
from catdog_stream.messages.wire import Headers, Source
from catdog_stream.web.api.answer import Answer
from catdog_stream.web.api.memory import Memory
from catdog_stream.web.api.problems import Problem
from catdog_stream.web.api.shared_connection import Shared
from catdog_stream.web.api.turns import Turns
from catdog_stream.web.clients import client_of

__all__ = ["Asked", "Picture", "State", "Stream"]

logger = logging.getLogger(__name__)

#: Maximum number of lookups that wait, and of one client.
MAX_LOOKUPS = 64
MAX_LOOKUPS_OF_ONE = 8
RETRY_AFTER = "5"

#: Status and sentence for permanent refusals. The worker's identity in Kafka is not for every
#: client: ``problem`` has it.
_FOR_GOOD = {
    Refusal.TOO_LARGE: (
        413,
        "The picture is too large for the topic {topic}: its max.message.bytes is smaller.",
    ),
    Refusal.ACCESS: (
        403,
        "This service has not the rights in Kafka to take pictures; /readyz states why.",
    ),
    Refusal.RECORD: (
        403,
        "The topic {topic} refuses pictures; /readyz states why.",
    ),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """Picture to send."""

    data: bytes
    url: str | None = None
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class State:
    """Request that Kafka has, and its answer."""

    source: Source
    url: str | None
    #: ``None`` while the request waits.
    answer: Answer | None


class Stream:
    """Connections of the API to the stream in one worker.

    They are separate from the worker's connections to Kafka and opened at the first picture, so
    their failures do not affect the worker.
    """

    def __init__(self, cluster: ClusterConfig, parser: RequestParser) -> None:
        self._cluster = cluster
        self._parser = parser
        #: Name of the topic of requests.
        self.requests_topic = cluster.names.requests
        #: Why Kafka refuses pictures, until it accepts one; ``None`` while it accepts them.
        self.problem: str | None = None
        self._memory = Memory(self.requests_topic)
        self._turns = Turns(SENDING)
        self._asking: Shared[RequestReply] = Shared(
            lambda: request_reply(cluster, on_reply=self._memory.note),
            usable=lambda stream: stream.failure is None,
        )
        #: Connections for lookups; each looks up one image at a time.
        self._finding: tuple[Shared[Lookup], ...] = tuple(
            Shared(lambda: lookup(cluster), usable=lambda finder: not finder.broken)
            for _ in range(LOOKUPS)
        )
        #: Client to the number of its waiting lookups.
        self._lookups: Counter[str] = Counter()
        self._closing = asyncio.Event()

    @asynccontextmanager
    async def ask(self, pictures: Sequence[Picture]) -> AsyncIterator["Asked"]:
        """Send pictures; the block begins once Kafka has confirmed them all. Raise ``Problem``."""
        urls = [picture.url for picture in pictures]
        questions: list[Question] = []
        async with AsyncExitStack() as stack:
            stack.callback(lambda: [question.reply.cancel() for question in questions])
            async with _unavailable(), self._refusals():
                stream = await stack.enter_async_context(self._asking.use())
                unsent = list(pictures)
                del pictures  # frees the pictures while a client waits
                while unsent:
                    size = sending_bytes(len(unsent[0].data))
                    release = await self._turns.take(size, seconds=deadlines.PRODUCE)
                    stack.callback(release)
                    with self._dropping(stream):
                        questions.append(await self._sent(stream, unsent.pop(0), release))
                with self._dropping(stream):
                    async with asyncio.timeout(deadlines.PRODUCE):
                        sources = [await asyncio.shield(question.sent) for question in questions]
            self.problem = None
            for source, url in zip(sources, urls, strict=True):
                self._memory.note_sent(source, url, stream)
            yield Asked(sources, urls, [question.reply for question in questions], self._closing)

    @contextmanager
    def _dropping(self, stream: RequestReply) -> Iterator[None]:
        """Use another connection after an error in the block; others may still wait with it."""
        try:
            yield
        except BaseException:
            self._asking.drop(stream)
            raise

    async def _sent(
        self, stream: RequestReply, picture: Picture, release: Callable[[], None]
    ) -> Question:
        """Send a picture; ``release`` its byte budget once Kafka has it."""
        value, own = await asyncio.to_thread(self._parser.format.write, picture.data, picture.url)
        question = await stream.send(value, headers=(*picture.headers, *own))
        question.sent.add_done_callback(lambda _: release())
        return question

    @asynccontextmanager
    async def _refusals(self) -> AsyncIterator[None]:
        """Raise ``Problem`` for permanent refusals of Kafka, so that clients do not retry."""
        try:
            yield
        except (BrokerError, KafkaError) as error:
            refused = (
                error
                if isinstance(error, BrokerError)
                else broker_error(
                    error, self._cluster, Access.topic("Write", self._cluster.names.requests)
                )
            )
            if refused.refusal not in _FOR_GOOD:
                raise
            self.problem = refused.message
            logger.warning("A picture over HTTP is refused: %s", refused)
            status, detail = _FOR_GOOD[refused.refusal]
            raise Problem(status, detail.format(topic=self.requests_topic)) from error

    async def look(self, source: Source, address: str | None = None) -> State | None:
        """Return the state of the request at ``source``; ``None`` if there is none.

        ``address`` is the client's: the number of its simultaneous lookups is limited. Raise
        ``Problem``.
        """
        sent = self._memory.sent(source)
        answer = self._memory.answer(source)
        if answer is not None:
            return State(source, None if sent is None else sent.url, answer)
        if sent is not None and self._asking.is_current(sent.through()):
            return State(source, sent.url, None)
        return await self._look_up(source, client_of(address))

    def close(self) -> None:
        """Release all waiting clients, and close the connections."""
        self._closing.set()
        self._asking.close()
        for shared in self._finding:
            shared.close()

    async def _look_up(self, source: Source, client: str) -> State | None:
        if self._lookups[client] >= MAX_LOOKUPS_OF_ONE:
            raise Problem(
                429,
                f"A client may have {MAX_LOOKUPS_OF_ONE} images looked up at a time.",
                headers={"Retry-After": RETRY_AFTER},
            )
        if self._lookups.total() >= MAX_LOOKUPS:
            raise Problem(
                503, "Too many images are looked up.", headers={"Retry-After": RETRY_AFTER}
            )
        self._lookups[client] += 1
        try:
            idlest = min(self._finding, key=lambda finding: finding.users)
            async with _unavailable(), idlest.use() as finder:
                found = await finder.find(source)
        finally:
            self._lookups[client] -= 1
            if not self._lookups[client]:
                del self._lookups[client]
        if found is None:
            return None
        answer = None if found.reply is None else Answer.of(found.reply)
        if not found.complete:
            raise Problem(
                503,
                "The answer was not found in time: too much was answered since.",
                headers={"Retry-After": RETRY_AFTER},
            )
        self._memory.keep(source, answer)
        request = found.request
        url = await asyncio.to_thread(self._parser.url, request.value, request.headers)
        return State(source, url, answer)


class Asked:
    """Requests that Kafka has confirmed.

    Args:
        sources: their positions.
        urls: their urls.
        replies: futures of their answers.
        closing: set when the worker ends.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        urls: Sequence[str | None],
        replies: "Sequence[asyncio.Future[Reply]]",
        closing: asyncio.Event,
    ) -> None:
        self.sources = sources
        self._urls = urls
        self._replies = replies
        self._closing = closing

    async def states(self, seconds: float) -> list[State]:
        """Return their states after at most ``seconds``, or once all have answers."""
        if seconds > 0:
            closing = asyncio.ensure_future(self._closing.wait())
            together = asyncio.ensure_future(asyncio.wait(self._replies))
            try:
                await asyncio.wait(
                    (together, closing), timeout=seconds, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                together.cancel()
                closing.cancel()
        return [
            State(source, url, _answer(reply))
            for source, url, reply in zip(self.sources, self._urls, self._replies, strict=True)
        ]


def _answer(reply: "asyncio.Future[Reply]") -> Answer | None:
    if not reply.done() or reply.cancelled() or reply.exception() is not None:
        return None
    return Answer.of(reply.result())


@asynccontextmanager
async def _unavailable() -> AsyncIterator[None]:
    """Raise ``Problem`` if Kafka does not answer, without the brokers' addresses or the cause."""
    try:
        yield
    except (BrokerError, KafkaError, TimeoutError) as error:
        logger.info("A request over HTTP cannot be answered: %r", error)
        raise Problem(
            503,
            "Kafka does not answer, or has not confirmed the picture; /readyz states why.",
            headers={"Retry-After": RETRY_AFTER},
        ) from error
