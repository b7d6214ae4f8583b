"""Fetching and conversion of a picture whose address a visitor has typed."""

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor

from catdog_stream.errors import FetchError
from catdog_stream.fetching.addresses import typed
from catdog_stream.fetching.fetcher import Fetcher
from catdog_stream.fetching.picture import small_png
from catdog_stream.fetching.resolving import Lookup
from catdog_stream.fetching.rules import Rules
from catdog_stream.models.pictures import PictureLimits

__all__ = ["DECODE_SECONDS", "PicturesByAddress"]

#: Seconds to convert the picture, including the wait for other conversions.
DECODE_SECONDS = 10.0
#: Number of threads. A conversion may take the whole budget of decoding: while the next one waits
#: for it, the requests of the stream must not wait behind it.
_THREADS = 1


class PicturesByAddress:
    """Fetcher and converter of pictures; close it in an event loop.

    It can be created without an event loop. It does not limit the rate of a client.

    Args:
        rules: rules for addresses.
        limits: limit ``max_pixels``; a file has at most ``fetcher.MAX_BYTES``.
        lookup: from names to IP addresses; by default the system's.
        tls: trusted certificates; by default the system's.
    """

    def __init__(
        self,
        rules: Rules,
        limits: PictureLimits | None = None,
        *,
        lookup: Lookup | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._rules = rules
        self._limits = limits or PictureLimits()
        self._fetcher = Fetcher(rules, lookup=lookup, tls=tls)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="fetched")

    async def picture_at(self, text: str) -> bytes:
        """Fetch the picture at the address in ``text``, as a PNG of at most 299 x 299 pixels.

        Takes at most 25 seconds: 5 to wait for others, 10 to fetch, 10 to decode.

        Raises:
            FetchError: with one sentence for the visitor.
        """
        if self._rules.mode == "off":
            raise FetchError("Pictures are not fetched by address here.")
        return await self.small(await self._fetcher.fetch(typed(text, self._rules)))

    async def small(self, data: bytes) -> bytes:
        """Convert a picture file in the same way, within 10 seconds."""
        decoding = asyncio.get_running_loop().run_in_executor(
            self._threads, small_png, data, self._limits
        )
        try:
            return await asyncio.wait_for(decoding, DECODE_SECONDS)
        except TimeoutError:
            raise FetchError("The picture takes too long to decode.") from None

    async def close(self) -> None:
        """Cancel all fetches. Nothing can be fetched afterwards."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self._fetcher.close()
