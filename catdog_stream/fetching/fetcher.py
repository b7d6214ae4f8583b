"""Download of a file from an untrusted web server, through untrusted redirects."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from catdog_stream import __version__
from catdog_stream.errors import FetchError
from catdog_stream.fetching.addresses import led_on, not_public
from catdog_stream.fetching.body import read_body
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

    It can be created without an event loop. It keeps nothing from a server: no cookies, no
    connections. It uses nothing from the environment: no proxies, no passwords.

    Args:
        rules: rules for addresses.
        lookup: from names to addresses; by default the system's.
        tls: trusted certificates; by default the system's.
    """

    def __init__(
        self, rules: Rules, *, lookup: Lookup | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.rules = rules
        self._system = SystemLookup(AT_A_TIME)
        self._lookup = lookup or self._system
        self._tls: ssl.SSLContext | bool = tls or True
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self._slots = asyncio.Semaphore(AT_A_TIME)

    async def close(self) -> None:
        """Cancel all fetches. Nothing can be fetched afterwards."""
        self._closed = True
        self._system.close()
        if self._session is not None:
            await self._session.close()

    async def fetch(self, url: URL) -> bytes:
        """Return the picture file at an address that :func:`addresses.typed` has checked.

        At most ``MAX_BYTES``, within ``WAIT_SECONDS`` and ``SECONDS``.

        Raises:
            FetchError: the picture cannot be fetched.
        """
        async with self._slot():
            if self._closed:
                raise FetchError("This worker is stopping.")
            try:
                async with asyncio.timeout(SECONDS):
                    return await self._follow(url)
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

    async def _follow(self, url: URL) -> bytes:
        for redirects in range(MAX_REDIRECTS + 1):
            async with self._asked(url, led=redirects > 0) as response:
                if response.status not in _REDIRECTS:
                    return await read_body(response, MAX_BYTES)
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
        except NotPublicError:
            raise not_public(led=led) from None
        except (aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError):
            raise FetchError(f"{what} has no valid certificate for its host.") from None
        except aiohttp.ClientSSLError:
            raise FetchError(f"{what} cannot be reached over TLS.") from None
        except aiohttp.ServerTimeoutError:
            raise FetchError(f"{what} does not answer.") from None
        except aiohttp.ClientConnectorError:
            raise FetchError(f"{what} cannot be connected to.") from None
        except (aiohttp.ClientError, OSError):
            raise FetchError(f"{what} broke off, or does not answer as web servers do.") from None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=CheckedResolver(self.rules, self._lookup),
                    # A cached address, or a kept connection, might belong to another server by now.
                    use_dns_cache=False,
                    force_close=True,
                    limit=AT_A_TIME,
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
