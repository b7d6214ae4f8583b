"""Announcement of a planned stop to the other workers, which would take it for a crash."""

import asyncio
import logging
from collections.abc import Iterable, Mapping

import aiohttp

from catdog_stream.web.cluster.peer_client import SHARDS_PATH

__all__ = ["LEAVING", "announce_leaving"]

logger = logging.getLogger(__name__)

#: Query parameter with the address of the worker that leaves.
LEAVING = "leaving"
#: Maximum seconds for all responses: a frozen worker must not delay a stop.
SECONDS = 0.5


async def announce_leaving(
    client: aiohttp.ClientSession, own: str, peers: Iterable[tuple[str, Mapping[str, str]]]
) -> None:
    """Send the announcement to all other workers at once; unreachable workers are skipped.

    Args:
        client: HTTP session.
        own: address of this worker.
        peers: address of each other worker, and the headers for it.
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
