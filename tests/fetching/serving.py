"""Web servers on this machine, most of them hostile, and functions that fetch from them."""

import asyncio
import io
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image
from yarl import URL

from catdog_stream.errors import FetchError
from catdog_stream.fetching.addresses import typed
from catdog_stream.fetching.fetcher import Fetcher
from catdog_stream.fetching.rules import Rules
from catdog_stream.settings.allowed_hosts import AllowedHost

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def png(size: tuple[int, int] = (4, 3)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(file, "PNG")
    return file.getvalue()


PNG = png()


def answering(body: bytes, kind: str = "image/png", status: int = 200, **headers: str) -> Handler:
    async def handler(_request: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(body=body, status=status, headers={"Content-Type": kind, **named})

    return handler


def leading_to(location: str, status: int = 302) -> Handler:
    return answering(b"", status=status, Location=location)


@asynccontextmanager
async def serving(
    routes: Mapping[str, Handler],
    host: str = "127.0.0.1",
    port: int | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[URL]:
    """Run a web server and yield its address."""
    application = web.Application()
    for path, handler in routes.items():
        application.router.add_get(path, handler)
    server = TestServer(application, host=host, port=port, scheme="https" if tls else "http")
    await server.start_server(ssl=tls)
    try:
        yield server.make_url("/")
    finally:
        await server.close()


@asynccontextmanager
async def sending(answer: bytes) -> AsyncIterator[URL]:
    """Run a server that sends these bytes to any request and disconnects; yield its address."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")


def allowing(url: URL) -> Rules:
    """Return rules that allow one server on this machine, beside the public internet."""
    return Rules("http", [AllowedHost.parse(f"127.0.0.1:{url.port}")])


async def said(text: str, fetcher: Fetcher) -> bytes | str:
    """Return the file at an address, or the sentence of the error."""
    try:
        return await fetcher.fetch(typed(text, fetcher.rules))
    except FetchError as error:
        return error.message


async def visit(text: str, fetcher: Fetcher) -> bytes | str:
    """Return the same, and close the fetcher afterwards."""
    try:
        return await said(text, fetcher)
    finally:
        await fetcher.close()


def visited(routes: Mapping[str, Handler] | Handler, path: str = "/") -> bytes | str:
    """Return the result of a visit to a server with these pages, or with this one."""

    async def scenario() -> bytes | str:
        async with serving(routes if isinstance(routes, Mapping) else {"/": routes}) as url:
            return await visit(f"{url.origin()}{path}", Fetcher(allowing(url)))

    return asyncio.run(scenario())
