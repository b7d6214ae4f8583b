"""Paths of the Open Inference Protocol."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from aiohttp import web

from catdog_stream import __version__
from catdog_stream.web.api.body import Intake, UploadBudget
from catdog_stream.web.api.guards.rates import Rates
from catdog_stream.web.api.problems import Problem, json
from catdog_stream.web.api.stream import Asked, Picture, Stream
from catdog_stream.web.api.v2.infer_request import Inference, parse
from catdog_stream.web.api.v2.infer_response import HEADER_LENGTH, infer_response, labels_of
from catdog_stream.web.api.v2.serving import Model, checked, model_document

__all__ = ["Protocol"]

#: Maximum seconds to wait for the answers to all pictures of a request.
INFER_SECONDS = 30.0


class Protocol:
    """Handlers of a model server, answered by the stream.

    Args:
        stream: accepts pictures.
        intake: limit on the bytes of all clients together.
        rates: limit on the pictures of each client.
        model: returns the serving model; ``None`` while there is none.
        alive, ready: return the problems that keep the worker from being alive or ready.
        max_image_bytes: maximum bytes of one picture.
        max_body_bytes: maximum bytes of one request.
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
        """Return the server's metadata."""
        extensions = ["binary_tensor_data"]
        return json({"name": "catdog_stream", "version": __version__, "extensions": extensions})

    async def live(self, _request: web.Request) -> web.Response:
        """Return the liveness of the server."""
        return _status({"live": True}, self._alive())

    async def ready(self, _request: web.Request) -> web.Response:
        """Return the readiness of the server."""
        return _status({"ready": True}, await self._ready())

    async def model(self, request: web.Request) -> web.Response:
        """Return a model's metadata."""
        return json(model_document(self._asked_for(request)))

    async def model_ready(self, request: web.Request) -> web.Response:
        """Return the readiness of a model."""
        model = self._asked_for(request)
        return _status({"name": model.name, "ready": True}, await self._ready())

    async def infer(self, request: web.Request) -> web.Response:
        """Classify pictures through the stream."""
        model = self._asked_for(request)
        self._rates.check(request.remote)
        with self._intake.budget(self._max_body_bytes) as budget:
            asked, sending = await self._asked(request, budget)
            async with sending as questions:
                budget.release()  # Kafka has them
                states = await questions.states(INFER_SECONDS)
        return infer_response(model, asked, states, labels_of(states))

    async def _asked(
        self, request: web.Request, budget: UploadBudget
    ) -> tuple[Inference, AbstractAsyncContextManager[Asked]]:
        """Read a request; return it without its pictures, and the context that sends them.

        The request must not keep the pictures in memory while it waits for the answers.
        """
        length = request.headers.get(HEADER_LENGTH)
        try:
            asked = await asyncio.to_thread(parse, await budget.read(request), length)
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


def _status(document: dict[str, Any], problems: list[str]) -> web.Response:
    """Return the document, or the problems with status 400, the protocol's status for no."""
    return json({"error": " ".join(problems)}, 400) if problems else json(document)
