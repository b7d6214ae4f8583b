"""Handlers behind a real web server, to test their answers to a request."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.typedefs import Middleware

from catdog_stream.web.api.guards.guarding import guard
from catdog_stream.web.api.guards.tokens import Tokens
from catdog_stream.web.server import HTTP_OPTIONS

Client = TestClient[web.Request, web.Application]
T = TypeVar("T")

OPEN = guard(Tokens(None, None), sending=True)
#: Seconds for a scenario.
DEADLINE = 20.0


class _Server(TestServer):
    """Server with the HTTP options of a worker."""

    async def _make_runner(self, **options: Any) -> web.BaseRunner:
        return await super()._make_runner(**options, **HTTP_OPTIONS)


def play(
    scenario: Callable[[Client], Awaitable[T]],
    routes: Sequence[web.RouteDef],
    middleware: Middleware = OPEN,
) -> T:
    """Run a scenario with a client of these routes."""

    async def run() -> T:
        application = web.Application(middlewares=[middleware])
        application.add_routes(routes)
        client: Client = TestClient(_Server(application))
        async with asyncio.timeout(DEADLINE), client:
            return await scenario(client)

    return asyncio.run(run())
