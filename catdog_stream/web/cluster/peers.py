"""What this worker knows of the others: asked in the background, and never waited for in vain.

A worker that does not answer is known as it was when it last did. Nobody is asked while nobody
looks, and nobody more often than every ``INTERVAL`` seconds, however many look.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from catdog_stream.web.cluster.ledger import Ledger
from catdog_stream.web.cluster.state import PeerSnapshot, WorkerState
from catdog_stream.web.cluster.timeline import Timeline
from catdog_stream.web.recording.pictures import KEPT

__all__ = ["FRESH", "INTERVAL", "MAX_PEERS", "Ask", "Peer", "Peers"]

logger = logging.getLogger(__name__)

#: Seconds between the beginnings of two questions to the same worker.
INTERVAL = 0.5
#: Whoever was heard of within so many seconds counts as answering.
FRESH = 1.5
#: Whoever did not answer so lately is not waited for.
SILENT = 5.0
#: A worker that has left the group is shown for so long.
KEEP = 600.0
#: A worker that has announced its planned stop leaves the group within so many seconds.
LEAVING = 60.0
#: Workers that are asked and remembered.
MAX_PEERS = 256

#: Asks the worker at an address: for slots from a time on, and for thumbnails but these. Raises
#: ``OSError``, ``TimeoutError`` or ``ValueError``.
Ask = Callable[[str, int, Iterable[str]], Awaitable[PeerSnapshot]]


@dataclass(slots=True)
class Peer:
    """Another worker, as it was when it last answered. Times are those of the ``Peers``' clock."""

    address: str
    state: WorkerState = field(default_factory=WorkerState)
    thumbnails: Mapping[str, bytes] = field(default_factory=dict)
    #: When it answered last; ``None`` if it never did.
    heard: float | None = None
    #: When it did not answer last.
    failed: float | None = None
    #: When it left the group; ``None`` while it is in it.
    left: float | None = None
    #: ``True`` if it had announced that.
    planned: bool = False
    began: float = -INTERVAL
    request_reply: asyncio.Task[None] | None = None


class Peers:
    """The other workers.

    Args:
        addresses: of those that are in the group now, but for this one.
        ask: asks one.
        timeline: takes what they tell of the last hour.
        ledger: takes what they have counted.
        clock: seconds that only ever grow.
    """

    def __init__(
        self,
        addresses: Callable[[], Iterable[str]],
        ask: Ask,
        timeline: Timeline,
        ledger: Ledger,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._addresses = addresses
        self._ask = ask
        self._timeline = timeline
        self._ledger = ledger
        self._clock = clock
        self._known: dict[str, Peer] = {}
        #: Address to when its worker announced that it leaves.
        self._leaving: dict[str, float] = {}

    async def refresh(self, wait: float) -> None:
        """Ask whoever may be asked again, and wait for the answers, ``wait`` seconds at most.

        Nobody waits for a worker that has just been silent. Answers that come later are kept.
        """
        now = self._clock()
        self.follow()
        waited_for = set()
        for peer in self._known.values():
            if peer.left is not None:
                continue
            if peer.request_reply is None and now - peer.began >= INTERVAL:
                peer.began = now
                peer.request_reply = asyncio.get_running_loop().create_task(self._hear(peer))
            if peer.request_reply is not None and not self._lately_silent(peer, now):
                waited_for.add(peer.request_reply)
        if waited_for and wait > 0:
            await asyncio.wait(waited_for, timeout=wait)

    def all(self) -> list[Peer]:
        """Those in the group and those that have left it lately, by address."""
        return [self._known[address] for address in sorted(self._known)]

    def age(self, peer: Peer) -> float | None:
        """How long ago it answered last, in seconds; ``None`` if it never did."""
        return None if peer.heard is None else self._clock() - peer.heard

    def gone(self, peer: Peer) -> float | None:
        """Return the seconds since it left the group; ``None`` while it is in it."""
        return None if peer.left is None else self._clock() - peer.left

    def is_silent(self, peer: Peer, patience: float, failed: float) -> bool:
        """Return ``True`` if it does not answer; one that nobody asks may be well.

        Args:
            patience: seconds that a question may be open.
            failed: seconds for which a question that failed counts.
        """
        now = self._clock()
        if peer.request_reply is not None and now - peer.began > patience:
            return True
        answered = peer.heard is not None and peer.failed is not None and peer.heard > peer.failed
        return peer.failed is not None and not answered and now - peer.failed <= failed

    def note_leaving(self, address: str) -> None:
        """Take note that a worker announces its planned stop; any client may claim it."""
        if address in self._known:
            self._leaving[address] = self._clock()

    def close(self) -> None:
        """Ask nobody any more."""
        for peer in self._known.values():
            if peer.request_reply is not None:
                peer.request_reply.cancel()

    async def _hear(self, peer: Peer) -> None:
        since, seen = self._timeline.latest(peer.address), tuple(peer.thumbnails)
        try:
            news = await self._ask(peer.address, since, seen)
        except (OSError, TimeoutError, ValueError) as error:
            if peer.failed is None or (peer.heard or 0) > peer.failed:
                logger.warning("The worker at %s does not tell its state: %r", peer.address, error)
            peer.failed = self._clock()
        else:
            peer.heard = self._clock()
            # Pages that were made before show those of before.
            shots = (*news.state.pictures[:KEPT], *peer.state.pictures[:KEPT])
            peer.state = news.state
            ids = [shot.id for shot in shots]
            both = {**peer.thumbnails, **news.thumbnails}
            peer.thumbnails = {id_: both[id_] for id_ in ids if id_ in both}
            self._timeline.update(peer.address, news.slots)
            self._ledger.note(peer.address, news.state.shards)
            if news.state.shards is not None:  # the ledger has them; as many may be of each worker
                peer.state = replace(news.state, shards={})
        finally:
            peer.request_reply = None

    def _lately_silent(self, peer: Peer, now: float) -> bool:
        failed = peer.failed
        if failed is not None and now - failed < SILENT and (peer.heard or 0) < failed:
            return True
        # A question that is still open from before is not worth another wait.
        return now - peer.began >= INTERVAL

    def follow(self) -> None:
        """Take note of who is in the group now, without asking anybody."""
        now = self._clock()
        addresses = set(sorted(self._addresses())[:MAX_PEERS])
        for address in addresses - self._known.keys():
            self._known[address] = Peer(address)
        for address, peer in tuple(self._known.items()):
            if address in addresses:
                peer.left = None
            elif peer.left is None:
                peer.left = now
                peer.planned = now - self._leaving.pop(address, -LEAVING) < LEAVING
                if not peer.planned:
                    logger.warning("%s has left the group without a planned stop.", address)
            if peer.left is not None and now - peer.left > KEEP:
                if peer.request_reply is not None:
                    peer.request_reply.cancel()
                self._forget(address)
        while len(self._known) > 2 * MAX_PEERS:
            self._forget(next(iter(self._known.keys() - addresses)))

    def _forget(self, address: str) -> None:
        del self._known[address]
        self._leaving.pop(address, None)
