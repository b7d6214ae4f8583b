"""The paths of the Open Inference Protocol."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from aiohttp import web

from catdog_stream import __version__
from catdog_stream.web.api.body import Intake, Room
from catdog_stream.web.api.guards.rates import Rates
from catdog_stream.web.api.problems import Problem, json
from catdog_stream.web.api.stream import Asked, Picture, Stream
from catdog_stream.web.api.v2.infer_request import Inference, parse
from catdog_stream.web.api.v2.infer_response import HEADER_LENGTH, infer_response, labels_of
from catdog_stream.web.api.v2.serving import Model, checked, model_document

__all__ = ["Protocol"]

#: Seconds for all pictures of a request to be answered.
INFER_SECONDS = 30.0


class Protocol:
    """Answers as a model server does, through the stream.

    Args:
        stream: takes pictures.
        intake: what all clients may send at once.
        rates: how many pictures each may send.
        model: what serves now; ``None`` while nothing does.
        alive, ready: what keeps the worker from being so.
        max_image_bytes: of one picture.
        max_body_bytes: of one request.
    """

    def __init__(
        self,
        stream: Stream,
        intake: Intake,
        rates: Rates,
        *,
        model: Callable[[], Model | None],
        alive: Callable[[], list[str]],
        ready: Callable[[], Awaitable[list[str]]],
        max_image_bytes: int,
        max_body_bytes: int,
    ) -> None:
        self._stream = stream
        self._intake = intake
        self._rates = rates
        self._model = model
        self._alive = alive
        self._ready = ready
        self._max_image_bytes = max_image_bytes
        self._max_body_bytes = max_body_bytes

    async def server(self, _request: web.Request) -> web.Response:
        """The server's metadata."""
        extensions = ["binary_tensor_data"]
        return json({"name": "catdog_stream", "version": __version__, "extensions": extensions})

    async def live(self, _request: web.Request) -> web.Response:
        """Whether the server lives."""
        return _told({"live": True}, self._alive())

    async def ready(self, _request: web.Request) -> web.Response:
        """Whether the server answers."""
        return _told({"ready": True}, await self._ready())

    async def model(self, request: web.Request) -> web.Response:
        """A model's metadata."""
        return json(model_document(self._asked_for(request)))

    async def model_ready(self, request: web.Request) -> web.Response:
        """Whether a model answers."""
        model = self._asked_for(request)
        return _told({"name": model.name, "ready": True}, await self._ready())

    async def infer(self, request: web.Request) -> web.Response:
        """Have pictures classified by the stream."""
        model = self._asked_for(request)
        self._rates.check(request.remote)
        with self._intake.room(self._max_body_bytes) as room:
            asked, sending = await self._asked(request, room)
            async with sending as questions:
                room.give_back()  # Kafka has them
                states = await questions.states(INFER_SECONDS)
        return infer_response(model, asked, states, labels_of(states))

    async def _asked(
        self, request: web.Request, room: Room
    ) -> tuple[Inference, AbstractAsyncContextManager[Asked]]:
        """Read a request: what is asked, without the pictures, and the sending of these.

        Whoever waits for the answers must not hold the pictures.
        """
        length = request.headers.get(HEADER_LENGTH)
        try:
            asked = await asyncio.to_thread(parse, await room.read(request), length)
            self._check(asked)
        except Problem:
            self._rates.take(request.remote, 1)
            raise
        self._rates.take(request.remote, len(asked.pictures))
        sending = self._stream.ask([Picture(data) for data in asked.pictures])
        return replace(asked, pictures=()), sending

    def _asked_for(self, request: web.Request) -> Model:
        match = request.match_info
        return checked(self._model(), match["name"], match.get("version"))

    def _check(self, asked: Inference) -> None:
        for number, picture in enumerate(asked.pictures):
            if not picture:
                raise Problem(400, f"Image {number} is empty.")
            if len(picture) > self._max_image_bytes:
                raise Problem(400, f"Image {number} has more than {self._max_image_bytes} bytes.")


def _told(document: dict[str, Any], problems: list[str]) -> web.Response:
    """That it is so, or why not: the protocol has a status of 4xx for no."""
    return json({"error": " ".join(problems)}, 400) if problems else json(document)
