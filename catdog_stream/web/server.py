"""The web server: whom it answers, with which headers, and how long it waits for a request."""

import errno
import logging
import os
import socket
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware
from faust.web.drivers.aiohttp import Web as FaustWeb

from catdog_stream.errors import SettingError
from catdog_stream.web.api.guards.guarding import guard, told
from catdog_stream.web.api.guards.tokens import Tokens
from catdog_stream.web.api.problems import Problem
from catdog_stream.web.cluster.peer_tokens import question_token
from catdog_stream.web.connections import Connections, most_connections
from catdog_stream.web.hosts import OPEN_PATHS, OwnHosts, target_fits
from catdog_stream.web.reading import read_little

if TYPE_CHECKING:
    from catdog_stream.worker.application import CatDogApp

__all__ = ["HTTP_OPTIONS", "Web", "treat"]

logger = logging.getLogger(__name__)

#: For a request's headers.
REQUEST_SECONDS = 10.0
#: From an answer to the end of the connection, where the body was not read to its end. A client
#: that is still sending would lose the answer if it were closed at once.
LINGER_SECONDS = 1.0

#: How the server treats requests. Bodies stay as they come: aiohttp would unpack them on the event
#: loop, also those that nobody reads.
HTTP_OPTIONS: Mapping[str, Any] = {
    "access_log": None,
    "auto_decompress": False,
    "keepalive_timeout": REQUEST_SECONDS,
    "lingering_time": LINGER_SECONDS,
}

_HEADERS = {
    # The page is made of this worker's own files alone. Pictures that somebody chooses to send are
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
    """Has its answer carry the headers, even where it is not HTTP and so belongs to no page."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        if self.body_exists and self.content_length is None:
            # Chunks may be small, and nobody needs what is left of them after the answer.
            self.protocol._lingering_time = 0.0

    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        response.headers.update(_HEADERS)
        response.headers.pop("Server", None)  # versions tell which faults to try
        await super()._prepare_hook(response)


class Web(FaustWeb):
    """Faust's web server with our pages alone: its own show tables and peers to anybody."""

    default_blueprints = ()
    production_blueprints = ()
    debug_blueprints = ()
    optional_blueprints = ()

    def __init__(self, app: "CatDogApp", **kwargs: Any) -> None:
        super().__init__(app, **kwargs)
        settings = app.settings
        tokens = Tokens(settings.web_read_token, settings.web_send_token, self._peer_token)
        self.web_app.middlewares.append(_only(lambda host: host in self._hosts))
        self.web_app.middlewares.append(guard(tokens, sending=settings.web_send))
        self._connections = Connections(most_connections())
        self._runner = web.AppRunner(self.web_app, logger=_quiet_logger(), **HTTP_OPTIONS)

    def _peer_token(self) -> str | None:
        """Return the token that other workers must send to this one."""
        app = cast("CatDogApp", self.app)
        secret = app.settings.peer_secret
        return None if secret is None else question_token(secret, app.address)

    async def start_server(self) -> None:
        """Listen. Raises ``SettingError`` if the port cannot be had."""
        conf, settings = self.app.conf, cast("CatDogApp", self.app).settings
        self._hosts = OwnHosts(
            (
                *settings.web_hosts,
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
    """Have ``server`` read requests a little at a time, and answer with our headers."""
    read_little(server)
    server.request_factory = partial(application._make_request, _cls=_Request)


def _only(is_own: Callable[[str | None], bool]) -> Middleware:
    """Answer requests under our own names alone, but for the open paths."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not target_fits(request.raw_path, request.headers.get("Host")):
            return told(request, Problem(400, "The target names another host than Host."))
        if request.path in OPEN_PATHS or is_own(request.headers.get("Host")):
            return await handler(request)
        return told(
            request, Problem(421, "This is not my name; CATDOG_WEB_HOSTS can say that it is.")
        )

    return check


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a complaint is of a fault here, and not of what somebody has sent."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, (HttpProcessingError, web.RequestPayloadError))


def _quiet_logger() -> logging.Logger:
    quiet = logger.getChild("http")
    quiet.addFilter(_is_ours)
    return quiet
