"""HTTP client for the state of another worker."""

from collections.abc import Iterable, Mapping

import aiohttp
import orjson

from catdog_stream import deadlines
from catdog_stream.web.cluster.peer_tokens import ANSWER_HEADER, is_proof
from catdog_stream.web.cluster.state import PeerSnapshot, parse_snapshot

__all__ = ["MAX_SNAPSHOT_BYTES", "SHARDS_PATH", "ask"]

SHARDS_PATH = "/shards/"
#: Maximum bytes of a response; an hour, a dozen thumbnails and some thousand partitions take a
#: tenth of it.
MAX_SNAPSHOT_BYTES = 8 * 1024 * 1024


async def ask(
    client: aiohttp.ClientSession,
    address: str,
    since: int,
    seen: Iterable[str],
    headers: Mapping[str, str] | None = None,
    proof: str | None = None,
    counted: str = "",
) -> PeerSnapshot:
    """Return the state of the worker at ``address``.

    Args:
        client: HTTP session.
        address: ``http://host:port``.
        since: start of the first history slot wanted, in seconds since the epoch.
        seen: ids of the pictures whose thumbnails are known already.
        headers: headers that authenticate this worker.
        proof: proof that the response must carry (see ``peer_tokens``); ``None``: none.
        counted: name of the last report of its counts, if all of them are known.

    Raises:
        OSError, TimeoutError: it does not answer.
        ValueError: the response is not a worker's.
    """
    params = {"since": str(since), "seen": ",".join(seen)}
    try:
        async with client.get(
            address + SHARDS_PATH,
            params=params | {"counted": counted} if counted else params,
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
                if len(body) > MAX_SNAPSHOT_BYTES:
                    raise ValueError("an endless answer")
            return parse_snapshot(orjson.loads(body))
    except aiohttp.ClientError as error:
        raise ConnectionError(str(error) or repr(error)) from error
