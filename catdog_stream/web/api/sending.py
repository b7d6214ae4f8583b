"""Sends one picture, and answers once Kafka has it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from aiohttp import web

from catdog_stream.web.api.answer import image_document, waiting
from catdog_stream.web.api.ids import image_id
from catdog_stream.web.api.prefer_header import preferred_wait
from catdog_stream.web.api.problems import json
from catdog_stream.web.api.stream import Asked

__all__ = ["sent"]


async def sent(
    request: web.Request,
    sending: AbstractAsyncContextManager[Asked],
    confirmed: Callable[[], object] = lambda: None,
) -> web.Response:
    """The answer to ``request``: where the picture's own will be, or that where it is preferred.

    Args:
        request: of the client.
        sending: ``Stream.ask`` of one picture. Nobody else may hold the picture, so that whoever
            waits for an answer does not.
        confirmed: called once Kafka has it.

    Raises ``Problem``.
    """
    seconds = preferred_wait(request.headers.getall("Prefer", ()))
    async with sending as asked:
        confirmed()
        (state,) = await asked.states(seconds)
    headers = {"Location": f"/images/{image_id(state.source)}"}
    if seconds:
        headers["Preference-Applied"] = "wait"
    if seconds and state.answer is not None:
        return json(image_document(state.source, state.answer, state.url), 200, headers)
    return json(waiting(state.source, headers["Location"]), 202, headers)
