"""Announces a planned stop to the other workers, which else could not tell it from a crash."""

import asyncio
import logging
from collections.abc import Iterable, Mapping

import aiohttp

from catdog_stream.web.cluster.peer_client import SHARDS_PATH

__all__ = ["LEAVING", "announce_leaving"]

logger = logging.getLogger(__name__)

#: The parameter of a question with the address of the worker that leaves.
LEAVING = "leaving"
#: Seconds for all answers: a frozen worker must not hold up a stop.
SECONDS = 0.5


async def announce_leaving(
    client: aiohttp.ClientSession, own: str, peers: Iterable[tuple[str, Mapping[str, str]]]
) -> None:
    """Send the announcement to all others at the same time; who cannot be reached goes without.

    Args:
        client: sends it.
        own: address of this worker.
        peers: address of each other worker, and the headers that it takes.
    """
    timeout = aiohttp.ClientTimeout(total=SECONDS)

    async def announce(address: str, headers: Mapping[str, str]) -> None:
        try:
            async with client.get(
                address + SHARDS_PATH,
                params={LEAVING: own},
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            ):
                pass
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            logger.info("%s was not reached with the announcement of a stop: %r", address, error)

    await asyncio.gather(*(announce(*each) for each in peers))
