"""Download of a file from an untrusted web server, through untrusted redirects."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from catdog_stream import __version__
from catdog_stream.errors import FetchError, Reason
from catdog_stream.fetching.addresses import led_on, not_public
from catdog_stream.fetching.body import Reserve, read_body
from catdog_stream.fetching.resolving import (
    CheckedResolver,
    Lookup,
    NotPublicError,
    SystemLookup,
)
from catdog_stream.fetching.rules import Rules

__all__ = ["AT_A_TIME", "CONNECT_SECONDS", "MAX_BYTES", "MAX_REDIRECTS", "SECONDS", "Fetcher"]

#: Seconds for everything, from the first lookup of a name to the last byte.
SECONDS = 10.0
#: The part of ``SECONDS`` for each connection: name, TCP and TLS.
CONNECT_SECONDS = 5.0
#: Seconds to wait until another fetch has ended.
WAIT_SECONDS = 5.0
AT_A_TIME = 4
MAX_REDIRECTS = 5
MAX_BYTES = 4 * 1024 * 1024

_REDIRECTS = (301, 302, 303, 307, 308)


class Fetcher:
    """HTTP client for untrusted servers; close it in an event loop.

    It can be created without an event loop. It keeps nothing from a server: no cookies, and by
    default no connections. It uses nothing from the environment: no proxies, no passwords.

    Args:
        rules: rules for addresses.
        max_bytes: largest file; ``None``: ``MAX_BYTES``.
        connections: maximum number of connections, and of fetches.
        keep_alive: ``True``: connections are used again. Their addresses have been checked, but a
            name may belong to another server by now.
        lookup: from names to addresses; by default the system's.
        tls: trusted certificates; by default the system's.
    """

    def __init__(
        self,
        rules: Rules,
        *,
        max_bytes: int | None = None,
        connections: int = AT_A_TIME,
        keep_alive: bool = False,
        lookup: Lookup | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.rules = rules
        self._max_bytes = MAX_BYTES if max_bytes is None else max_bytes
        self._connections = connections
        self._keep_alive = keep_alive
        self._system = SystemLookup(connections)
        self._lookup = lookup or self._system
        self._tls: ssl.SSLContext | bool = tls or True
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self._slots = asyncio.Semaphore(connections)

    async def close(self) -> None:
        """Cancel all fetches. Nothing can be fetched afterwards."""
        self._closed = True
        self._system.close()
        if self._session is not None:
            await self._session.close()

    async def fetch(self, url: URL) -> bytes:
        """Return the picture file at an address that :func:`addresses.typed` has checked.

        Within ``WAIT_SECONDS`` and ``SECONDS``.

        Raises:
            FetchError: the picture cannot be fetched.
        """
        async with self._slot():
            try:
                async with asyncio.timeout(SECONDS):
                    return await self.download(url)
            except TimeoutError:
                raise FetchError(f"The address took longer than {SECONDS:g} seconds.") from None

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise FetchError("Too many pictures are being fetched; try again later.") from None
        try:
            yield
        finally:
            self._slots.release()

    async def download(self, url: URL, reserve: Reserve | None = None) -> bytes:
        """Do the same without a limit on time or number, which the caller sets.

        Args:
            url: the checked address.
            reserve: called before the file is read.
        """
        if self._closed:
            raise FetchError("This worker is stopping.")
        for redirects in range(MAX_REDIRECTS + 1):
            async with self._asked(url, led=redirects > 0) as response:
                if response.status not in _REDIRECTS:
                    return await read_body(response, self._max_bytes, reserve)
                location = response.headers.get("Location")
            if not location:
                raise FetchError("The address leads on, and does not say where to.")
            url = led_on(url, location, self.rules)
        raise FetchError(f"The address leads on more than {MAX_REDIRECTS} times.")

    @asynccontextmanager
    async def _asked(self, url: URL, *, led: bool) -> AsyncIterator[aiohttp.ClientResponse]:
        what = "The address that it leads to" if led else "The address"
        try:
            async with self._open().get(url, ssl=self._tls, allow_redirects=False) as response:
                yield response
        except NotPublicError as refused:
            error = not_public(led=led)
            if refused.__cause__ is not None:  # no address: the name server may know more later
                error.reason, error.passes = Reason.REFERENCE_FAILED, True
            raise error from None
        except (aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError):
            raise FetchError(f"{what} has no valid certificate for its host.") from None
        except aiohttp.ClientSSLError:
            raise FetchError(f"{what} cannot be reached over TLS.") from None
        except aiohttp.ServerTimeoutError:
            raise FetchError(f"{what} does not answer.", passes=True) from None
        except aiohttp.ClientConnectorError:
            raise FetchError(f"{what} cannot be connected to.", passes=True) from None
        except (aiohttp.ClientError, OSError):
            raise FetchError(
                f"{what} broke off, or does not answer as web servers do.", passes=True
            ) from None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=CheckedResolver(self.rules, self._lookup),
                    # A cached address, or a kept connection, might belong to another server by now.
                    use_dns_cache=False,
                    force_close=not self._keep_alive,
                    limit=self._connections,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS),
                headers={
                    "Accept": "image/*",
                    "Accept-Encoding": "identity",
                    "User-Agent": f"catdog_stream/{__version__}",
                },
            )
        return self._session
