"""State of the other workers, queried in the background and with a limited wait.

A worker that does not answer keeps its last known state. Workers are queried only while a client
uses the state, and at most every ``INTERVAL`` seconds, for any number of clients.
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

#: Seconds between the starts of two queries of the same worker.
INTERVAL = 0.5
#: Maximum seconds since the last response of a worker that counts as answering.
FRESH = 1.5
#: Seconds after a failed query during which no client waits for the worker.
SILENT = 5.0
#: Seconds for which a worker that has left the group is shown.
KEEP = 600.0
#: Maximum seconds until a worker that has announced a planned stop leaves the group.
LEAVING = 60.0
#: Maximum number of workers that are queried and remembered.
MAX_PEERS = 256

#: Queries the worker at an address: for the slots since a time, for thumbnails except those given,
#: and for the counts that changed since a report. Raises ``OSError``, ``TimeoutError`` or
#: ``ValueError``.
Ask = Callable[[str, int, Iterable[str], str], Awaitable[PeerSnapshot]]


@dataclass(slots=True)
class Peer:
    """Another worker and its last known state. Times are those of the clock of ``Peers``."""

    address: str
    state: WorkerState = field(default_factory=WorkerState)
    thumbnails: Mapping[str, bytes] = field(default_factory=dict)
    #: Name of its last report of counts, if the ledger has all of them.
    counted: str = ""
    #: Time of its last response; ``None`` if there was none.
    heard: float | None = None
    #: Time of its last failed query.
    failed: float | None = None
    #: Time when it left the group; ``None`` while it is a member.
    left: float | None = None
    #: ``True`` if it had announced the stop.
    planned: bool = False
    began: float = -INTERVAL
    query: asyncio.Task[None] | None = None


class Peers:
    """States of the other workers.

    Args:
        addresses: returns the addresses of the group's current members, without this worker.
        ask: queries one of them.
        timeline: receives their last hour.
        ledger: receives their counts.
        clock: monotonic clock, in seconds.
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
        #: Address of a worker to the time of its announcement that it leaves.
        self._leaving: dict[str, float] = {}

    async def refresh(self, wait: float) -> None:
        """Query all workers whose interval has passed, and wait at most ``wait`` seconds.

        Workers that have just failed to answer are not waited for. Later responses are kept.
        """
        now = self._clock()
        self.follow()
        waited_for = set()
        for peer in self._known.values():
            if peer.left is not None:
                continue
            if peer.query is None and now - peer.began >= INTERVAL:
                peer.began = now
                peer.query = asyncio.get_running_loop().create_task(self._query(peer))
            if peer.query is not None and not self._lately_silent(peer, now):
                waited_for.add(peer.query)
        if waited_for and wait > 0:
            await asyncio.wait(waited_for, timeout=wait)

    def all(self) -> list[Peer]:
        """Return the members of the group and those that left recently, by address."""
        return [self._known[address] for address in sorted(self._known)]

    def age(self, peer: Peer) -> float | None:
        """Return the seconds since its last response; ``None`` if there was none."""
        return None if peer.heard is None else self._clock() - peer.heard

    def gone(self, peer: Peer) -> float | None:
        """Return the seconds since it left the group; ``None`` while it is a member."""
        return None if peer.left is None else self._clock() - peer.left

    def is_silent(self, peer: Peer, patience: float, failed: float) -> bool:
        """Return true if it does not answer; a worker that was not queried counts as answering.

        Args:
            peer: the other worker.
            patience: seconds that a query may be open.
            failed: seconds for which a failed query counts.
        """
        now = self._clock()
        if peer.query is not None and now - peer.began > patience:
            return True
        answered = peer.heard is not None and peer.failed is not None and peer.heard > peer.failed
        return peer.failed is not None and not answered and now - peer.failed <= failed

    async def note_leaving(self, address: str) -> None:
        """Record that a worker announces its planned stop, if its own state confirms it.

        Any client may send an announcement. A lost worker must not be hidden by it.
        """
        peer = self._known.get(address)
        if peer is None or peer.left is not None:
            return
        try:
            snapshot = await self._ask(
                address, self._timeline.latest(address), tuple(peer.thumbnails), ""
            )
        except (OSError, TimeoutError, ValueError):
            return
        if snapshot.state.facts.get("stopping") is True:
            self._leaving[address] = self._clock()

    def close(self) -> None:
        """Cancel all queries."""
        for peer in self._known.values():
            if peer.query is not None:
                peer.query.cancel()

    async def _query(self, peer: Peer) -> None:
        since, seen = self._timeline.latest(peer.address), tuple(peer.thumbnails)
        try:
            snapshot = await self._ask(peer.address, since, seen, peer.counted)
        except (OSError, TimeoutError, ValueError) as error:
            if peer.failed is None or (peer.heard or 0) > peer.failed:
                logger.warning(
                    "The worker at %s does not report its state: %r", peer.address, error
                )
            peer.failed = self._clock()
        else:
            peer.heard = self._clock()
            # Pages rendered earlier still show the earlier pictures.
            shots = (*snapshot.state.pictures[:KEPT], *peer.state.pictures[:KEPT])
            known_classes = peer.state.classes
            peer.state = snapshot.state
            ids = [shot.id for shot in shots]
            both = {**peer.thumbnails, **snapshot.thumbnails}
            peer.thumbnails = {id_: both[id_] for id_ in ids if id_ in both}
            self._timeline.update(peer.address, snapshot.slots)
            shards = snapshot.state.shards
            is_noted = self._ledger.note(peer.address, shards, partial=snapshot.partial)
            peer.counted = snapshot.counted if is_noted else ""
            if shards is not None:
                # The ledger has them: here, they would only take memory.
                classes = known_classes if snapshot.partial else snapshot.state.classes
                peer.state = replace(snapshot.state, shards={}, classes=classes)
        finally:
            peer.query = None

    def _lately_silent(self, peer: Peer, now: float) -> bool:
        failed = peer.failed
        if failed is not None and now - failed < SILENT and (peer.heard or 0) < failed:
            return True
        # A query that is still open was waited for once already.
        return now - peer.began >= INTERVAL

    def follow(self) -> None:
        """Update the members of the group, without a query."""
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
                if peer.query is not None:
                    peer.query.cancel()
                self._forget(address)
        while len(self._known) > 2 * MAX_PEERS:
            self._forget(next(iter(self._known.keys() - addresses)))

    def _forget(self, address: str) -> None:
        del self._known[address]
        self._leaving.pop(address, None)
