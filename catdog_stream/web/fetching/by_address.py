"""From what somebody has typed to a picture that the stream takes."""

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor

from catdog_stream.errors import FetchError
from catdog_stream.models.pictures import PictureLimits
from catdog_stream.web.fetching.addresses import typed
from catdog_stream.web.fetching.fetcher import Fetcher
from catdog_stream.web.fetching.picture import small_png
from catdog_stream.web.fetching.resolving import Lookup
from catdog_stream.web.fetching.rules import Rules

__all__ = ["DECODE_SECONDS", "PicturesByAddress"]

#: For the picture to become a small one, or to wait for others that do.
DECODE_SECONDS = 10.0
#: Some pictures are made to keep a decoder busy: they shall not keep all cores.
_THREADS = 2


class PicturesByAddress:
    """May be made before an event loop runs, and is closed in one.

    How often one client may ask is not limited here.

    Args:
        rules: what may be fetched.
        limits: of ``max_pixels``; a file has at most ``fetcher.MAX_BYTES``.
        lookup: from names to IP addresses; the system's by default.
        tls: whom to trust; whom the system trusts by default.
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
        """A PNG of at most 299 x 299 pixels: the picture at the address in ``text``.

        Takes at most 25 seconds: 5 to wait for others, 10 to fetch, 10 to decode.
        Raises ``FetchError``, with one sentence for whoever has typed it.
        """
        if self._rules.mode == "off":
            raise FetchError("Pictures are not fetched by address here.")
        return await self.small(await self._fetcher.fetch(typed(text, self._rules)))

    async def small(self, data: bytes) -> bytes:
        """The same of a picture file that is there already, in 10 seconds at most."""
        decoding = asyncio.get_running_loop().run_in_executor(
            self._threads, small_png, data, self._limits
        )
        try:
            return await asyncio.wait_for(decoding, DECODE_SECONDS)
        except TimeoutError:
            raise FetchError("The picture takes too long to decode.") from None

    async def close(self) -> None:
        """Break off what is being fetched. Nothing can be fetched afterwards."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self._fetcher.close()
