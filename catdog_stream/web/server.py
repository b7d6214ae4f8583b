"""Web server: allowed hosts, response headers, and time limits for requests."""

import errno
import logging
import os
import socket
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware
from faust.types import AppT
from faust.web.drivers.aiohttp import Web as FaustWeb

from catdog_stream.errors import SettingError
from catdog_stream.settings import Settings
from catdog_stream.web.api.guards.guarding import guard, problem_response
from catdog_stream.web.api.guards.tokens import Tokens
from catdog_stream.web.api.problems import NO_STORE, Problem, answer
from catdog_stream.web.cluster.peer_tokens import question_token
from catdog_stream.web.connections import Connections, most_connections
from catdog_stream.web.hosts import OPEN_PATHS, OwnHosts, target_fits
from catdog_stream.web.reading import read_little

__all__ = ["HTTP_OPTIONS", "Web", "treat"]

logger = logging.getLogger(__name__)

#: Maximum seconds to receive a request's headers.
REQUEST_SECONDS = 10.0
#: Seconds from a response to the end of the connection if the body was not read completely. An
#: immediate close would make a client that is still sending lose the response.
LINGER_SECONDS = 1.0

#: Options of the HTTP server. Bodies stay compressed: aiohttp would decompress them on the event
#: loop, even those that no handler reads.
HTTP_OPTIONS: Mapping[str, Any] = {
    "access_log": None,
    "auto_decompress": False,
    "keepalive_timeout": REQUEST_SECONDS,
    "lingering_time": LINGER_SECONDS,
}

#: Method of a request that aiohttp could not parse.
_UNREADABLE = "UNKNOWN"
_FAULT = "A fault of the application; its log has the details."

_HEADERS = {
    # The page consists only of this worker's own files. Pictures that a visitor chooses to send are
    # shown from the browser's memory.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class _Request(web.Request):
    """Request whose response carries the headers, even for malformed HTTP without a handler."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        if self.body_exists and self.content_length is None:
            # Chunks may be small, and the rest of the body is not needed after the response.
            self.protocol._lingering_time = 0.0

    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        if self.method == _UNREADABLE and isinstance(response, web.Response):
            _explain(response)
        response.headers.update(_HEADERS)
        response.headers.pop("Server", None)  # a version shows attackers which faults to try
        await super()._prepare_hook(response)


def _explain(response: web.Response) -> None:
    """Turn aiohttp's plain-text response to malformed HTTP into a problem like all others."""
    status = response.status
    detail = "The request is not HTTP, or a line of it is too long." if status < 500 else _FAULT
    body = cast(bytes, answer("/", Problem(status, detail)).body)
    response.body = body
    response.headers.update(
        {"Content-Type": "application/problem+json", "Content-Length": str(len(body)), **NO_STORE}
    )


class Web(FaustWeb):
    """Faust's web server without Faust's pages, which show tables and peers to every client.

    Args:
        app: the Faust app.
        settings: the settings of the worker.
        address: returns the address by which other workers know this worker.
    """

    default_blueprints = ()
    production_blueprints = ()
    debug_blueprints = ()
    optional_blueprints = ()

    def __init__(
        self, app: AppT, settings: Settings, address: Callable[[], str], **kwargs: Any
    ) -> None:
        super().__init__(app, **kwargs)
        self._settings = settings
        self._address = address
        tokens = Tokens(settings.web_read_token, settings.web_send_token, self._peer_token)
        self.web_app.middlewares.append(_only(lambda host: host in self._hosts))
        self.web_app.middlewares.append(guard(tokens, sending=settings.web_send))
        self._connections = Connections(most_connections())
        self._runner = web.AppRunner(self.web_app, logger=_quiet_logger(), **HTTP_OPTIONS)

    def _peer_token(self) -> str | None:
        """Return the token that other workers must send to this worker."""
        secret = self._settings.peer_secret
        return None if secret is None else question_token(secret, self._address())

    async def start_server(self) -> None:
        """Start listening. Raise ``SettingError`` if the port cannot be used."""
        conf = self.app.conf
        self._hosts = OwnHosts(
            (
                *self._settings.web_hosts,
                conf.web_host,
                conf.web_bind,
                conf.canonical_url.host,
                socket.gethostname(),
            )
        )
        try:
            await super().start_server()
        except OSError as error:
            if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                raise SettingError(
                    f"The web server cannot listen on {conf.web_bind}, which is no address of this "
                    "machine: WEB_BIND or --web-bind names another one."
                ) from error
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise SettingError(
                f"The web server cannot listen on {conf.web_bind} port {conf.web_port} "
                f"({reason}); --web-port chooses another one."
            ) from error
        server = self._runner.server
        assert server is not None
        self._connections.watch(server)
        treat(server, self.web_app)


def treat(server: web.Server, application: web.Application) -> None:
    """Make ``server`` read requests in small parts, and add the security headers."""
    read_little(server)
    server.request_factory = partial(application._make_request, _cls=_Request)


def _only(is_own: Callable[[str | None], bool]) -> Middleware:
    """Return the middleware that refuses requests under foreign names, except on open paths."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not target_fits(request.raw_path, request.headers.get("Host")):
            return problem_response(
                request, Problem(400, "The target names another host than Host.")
            )
        if request.path in OPEN_PATHS or is_own(request.headers.get("Host")):
            return await handler(request)
        return problem_response(
            request, Problem(421, "This is not my name; CATDOG_WEB_HOSTS can say that it is.")
        )

    return check


def _is_ours(record: logging.LogRecord) -> bool:
    """Return true if a log record is about a fault here, and not about a client's data."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, (HttpProcessingError, web.RequestPayloadError))


def _quiet_logger() -> logging.Logger:
    quiet = logger.getChild("http")
    quiet.addFilter(_is_ours)
    return quiet
