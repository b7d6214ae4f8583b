"""Sending of one picture, with a response once Kafka has it."""

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
    """Return the response: the location of the picture's answer, or the answer if preferred.

    Args:
        request: the client's request.
        sending: ``Stream.ask`` of one picture. No other code may keep a reference to the picture,
            so that it is freed while the client waits.
        confirmed: called once Kafka has it.

    Raises:
        Problem: the picture was not sent.
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
