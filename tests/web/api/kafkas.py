"""Replacement of Kafka for tests of the API, without a broker."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from catdog_stream.kafka.lookup import Found
from catdog_stream.kafka.replies import Reply
from catdog_stream.kafka.request_reply import Question, RequestReply
from catdog_stream.messages.wire import Source
from catdog_stream.web.api import stream as stream_module
from tests.web.api.replies import label


class Kafka(RequestReply):
    """Connection that confirms each request at once, and answers when the test says so."""

    def __init__(self) -> None:
        self.on_reply: Callable[[Reply], object] = print
        self.asked: list[Question] = []
        self.found: dict[Source, Found] = {}
        self.error: Exception | None = None
        self.opened = 0

    @property
    def failure(self) -> None:
        return None

    async def send(self, *_: Any, **__: Any) -> Question:
        if self.error is not None:
            raise self.error
        loop = asyncio.get_running_loop()
        question = Question(loop.create_future(), loop.create_future())
        question.sent.set_result(Source("catdogimage", 0, len(self.asked)))
        self.asked.append(question)
        return question

    def answer(self, number: int) -> None:
        """Answer request ``number``."""
        reply = label(Source("catdogimage", 0, number))
        self.on_reply(reply)
        if not self.asked[number].reply.done():
            self.asked[number].reply.set_result(reply)

    @asynccontextmanager
    async def request_reply(
        self, _cluster: object, *, on_reply: Callable[[Reply], object]
    ) -> AsyncIterator[RequestReply]:
        self.opened += 1
        self.on_reply = on_reply
        yield self

    @asynccontextmanager
    async def lookup(self, _cluster: object) -> AsyncIterator["Kafka"]:
        yield self

    broken = False

    async def find(self, source: Source) -> Found | None:
        if self.error is not None:
            raise self.error
        return self.found.get(source)

    def stand_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Replace the real connection."""
        monkeypatch.setattr(stream_module, "request_reply", self.request_reply)
        monkeypatch.setattr(stream_module, "lookup", self.lookup)
