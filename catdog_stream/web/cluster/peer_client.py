"""Asks another worker over HTTP what it knows."""

from collections.abc import Iterable, Mapping

import aiohttp
import orjson

from catdog_stream import deadlines
from catdog_stream.web.cluster.peer_tokens import ANSWER_HEADER, is_proof
from catdog_stream.web.cluster.state import PeerSnapshot, parse_news

__all__ = ["MAX_NEWS_BYTES", "SHARDS_PATH", "ask"]

SHARDS_PATH = "/shards/"
#: An hour, a dozen thumbnails and some thousand partitions need a tenth of it.
MAX_NEWS_BYTES = 8 * 1024 * 1024


async def ask(
    client: aiohttp.ClientSession,
    address: str,
    since: int,
    seen: Iterable[str],
    headers: Mapping[str, str] | None = None,
    proof: str | None = None,
) -> PeerSnapshot:
    """What the worker at ``address`` tells.

    Args:
        since: the first slot of its history that is wanted, in seconds since the epoch.
        seen: ids of the pictures whose thumbnails are there already.
        headers: what opens its door.
        proof: what its answer must carry (see ``peer_tokens``); ``None``: nothing.

    Raises:
        OSError, TimeoutError: it does not answer.
        ValueError: what it answers is not a worker's.
    """
    try:
        async with client.get(
            address + SHARDS_PATH,
            params={"since": str(since), "seen": ",".join(seen)},
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=deadlines.PEER),
            allow_redirects=False,
        ) as response:
            if response.status != 200:
                raise ValueError(f"status {response.status}")
            if proof is not None and not is_proof(response.headers.get(ANSWER_HEADER), proof):
                raise ValueError("no proof that it is a worker with the same CATDOG_WEB_PEER_TOKEN")
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MAX_NEWS_BYTES:
                    raise ValueError("an endless answer")
            return parse_news(orjson.loads(body))
    except aiohttp.ClientError as error:
        raise ConnectionError(str(error) or repr(error)) from error
