"""State of the page, rebuilt every second while a page is open."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from catdog_stream.web.cluster.changed_counts import ChangedCounts
from catdog_stream.web.cluster.counts import Shards, Statistics
from catdog_stream.web.cluster.ledger import Ledger
from catdog_stream.web.cluster.peers import Ask, Peers
from catdog_stream.web.cluster.state import PeerSnapshot, WorkerState
from catdog_stream.web.cluster.timeline import Timeline
from catdog_stream.web.cluster.view import ClusterView, cluster_view, statistics
from catdog_stream.web.health.assessment import assess
from catdog_stream.web.health.facts import Cause, Health
from catdog_stream.web.live.broadcast import Broadcast
from catdog_stream.web.live.health_facts import stream_facts
from catdog_stream.web.page.alarm import alarm
from catdog_stream.web.page.charting import points
from catdog_stream.web.page.document import fragments
from catdog_stream.web.page.health import icon
from catdog_stream.web.page.summary import spoken, title
from catdog_stream.web.recording.recorder import Recorder

__all__ = ["Dashboard"]

logger = logging.getLogger(__name__)

#: Seconds between two states of the page.
TICK = 1.0
#: Maximum age of a state, in seconds, that a new reader gets.
FRESH = 0.2
#: Rows of the charts in each state; several, because a reader may miss some.
LAST_ROWS = 6


class Dashboard:
    """State of the cluster as known to this worker, for pages and for other workers.

    Args:
        address: returns this worker's address.
        own: returns its state.
        recorder: its recorder.
        addresses: returns the addresses of the group's other workers.
        ask: queries one of them.
    """

    def __init__(
        self,
        address: Callable[[], str],
        own: Callable[[], Awaitable[WorkerState]],
        recorder: Recorder,
        addresses: Callable[[], Iterable[str]],
        ask: Ask,
    ) -> None:
        self._address = address
        self._own = own
        self._recorder = recorder
        self._timeline = Timeline()
        self._ledger = Ledger()
        self._counts = ChangedCounts()
        self._peers = Peers(addresses, ask, self._timeline, self._ledger)
        self._broadcast = Broadcast()
        #: The latest state for probes, and the time of its assessment.
        self._health = Health()
        self._assessed = -math.inf
        #: Causes of the latest assessment.
        self._causes: frozenset[Cause] = frozenset()
        self._ticking: asyncio.Task[None] | None = None
        #: Time of the last state that was sent to readers.
        self._published = -math.inf

    async def view(self, wait: float) -> ClusterView:
        """Return the current state of the cluster; wait at most ``wait`` seconds for workers."""
        await self._peers.refresh(wait)
        return await self._view()

    async def health(self) -> Health:
        """Return the state of the stream without a query, for probes; at most ``TICK`` old."""
        if time.monotonic() - self._assessed >= TICK:
            self._assessed = time.monotonic()
            try:
                self.follow()
                self._health = (await self._view()).health
            except Exception:  # a probe must not fail because of what it says beside its answer
                logger.exception("The state of the stream could not be assessed.")
                self._health = Health()
        return self._health

    def follow(self) -> None:
        """Update the members of the group."""
        self._peers.follow()

    async def note_leaving(self, address: str) -> None:
        """Record that another worker announces its planned stop, if its own state confirms it."""
        await self._peers.note_leaving(address)

    async def _view(self) -> ClusterView:
        address = self._address()
        latest = self._timeline.latest(address)
        self._timeline.update(address, self._recorder.history.slots(latest))
        own = await self._own()
        self._ledger.note(address, own.shards)
        view = cluster_view(address, own, self._peers, self._timeline, self._ledger, time.time())
        health = assess(stream_facts(view), self._causes)
        self._causes = health.held
        return replace(view, health=health)

    async def statistics(self, own: Shards | None, wait: float) -> Statistics:
        """Return the counts of the cluster, with the same wait."""
        await self._peers.refresh(wait)
        self._timeline.hour(time.time())  # removes older slots
        self._ledger.note(self._address(), own)
        return statistics(own, self._peers, self._ledger)

    async def snapshot(self, since: int, seen: Iterable[str], counted: str = "") -> PeerSnapshot:
        """Return the state for another worker; see ``peer_client.ask``."""
        state = await self._own()
        renderers = self._recorder.latest.renderers()
        ids = {shot.id for shot in state.pictures} - set(seen)
        wanted = {id_: renderers[id_] for id_ in ids & renderers.keys()}
        thumbnails = await asyncio.to_thread(
            lambda: {id_: thumbnail.render() for id_, thumbnail in wanted.items()}
        )
        report = self._counts.since(counted, state)
        slots = self._recorder.history.slots(since)
        return PeerSnapshot(report[0], slots, thumbnails, *report[1:])

    async def thumbnail(self, id_: str) -> bytes | None:
        """Return the thumbnail with this id, from any worker; ``None`` if it was removed."""
        thumbnail = self._recorder.latest.renderers().get(id_)
        if thumbnail is not None:
            return await asyncio.to_thread(thumbnail.render)
        for peer in self._peers.all():
            if id_ in peer.thumbnails:
                return peer.thumbnails[id_]
        return None

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Keep one page up to date."""
        if time.monotonic() - self._published > FRESH:
            await self._publish()  # an older state would undo what the page shows
        # No await from here until the page counts as a reader: the ticker cannot end in between.
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().create_task(self._tick())
        return await self._broadcast.serve(request)

    def close(self) -> None:
        """Disconnect all pages, and cancel all queries."""
        self._broadcast.close()
        self._peers.close()
        if self._ticking is not None:
            self._ticking.cancel()

    async def _tick(self) -> None:
        """Publish states until there was no reader for a tick."""
        try:
            while True:
                await self._publish()
                await asyncio.sleep(TICK)
                if not self._broadcast.readers:
                    return
        finally:
            self._ticking = None

    async def _publish(self) -> None:
        try:
            self._broadcast.publish(_state(await self.view(wait=0)))
            self._published = time.monotonic()
        except Exception:
            # Pages show by themselves that updates are missing; the next one may succeed.
            logger.exception("The page could not be brought up to date.")


def _state(view: ClusterView) -> Mapping[str, Any]:
    return {
        "now": round(view.now, 1),
        "title": title(view),
        "icon": icon(view),
        "spoken": spoken(view),
        "alarm": alarm(view),
        "chart": points(view, LAST_ROWS).document(),
        **{f"#{name}": html for name, html in fragments(view).items()},
    }
