"""Web part of a worker, put together: page, statistics, API, and queries of other workers."""

from collections.abc import Iterable
from typing import Any, cast

from catdog_stream.delivery.committed_table import CommittedTable
from catdog_stream.delivery.group_member import GroupMember
from catdog_stream.fetching.picture import reads_heic
from catdog_stream.web.api.api import Api
from catdog_stream.web.api.v2.serving import serving
from catdog_stream.web.cluster.peer_queries import PeerQueries
from catdog_stream.web.live.dashboard import Dashboard
from catdog_stream.web.live.facts import WorkerFacts
from catdog_stream.web.live.self_state import SelfState
from catdog_stream.web.page.upload_form import Offers
from catdog_stream.web.recording.recorder import Recorder
from catdog_stream.web.server import Web
from catdog_stream.web.views import Views
from catdog_stream.worker.application import CatDogApp
from catdog_stream.worker.health import WorkerHealth
from catdog_stream.worker.loading import limits_of

__all__ = ["add_console"]


def add_console(
    app: CatDogApp,
    tables: Iterable[CommittedTable],
    member: GroupMember,
    health: WorkerHealth,
) -> None:
    """Register the paths of the web server, and what must happen before it ends."""
    settings = app.settings
    peers = PeerQueries(
        lambda: app.address,
        app.router.tables_metadata,  # every member of the group states its address
        allowed=settings.web_peers,
        secret=settings.peer_secret,
        session=lambda: app.http_client,
    )
    recorder = Recorder(limits=limits_of(settings), parser=settings.request_parser, age=app.lag.age)
    app.observers.add(recorder)
    facts = WorkerFacts(
        settings=settings,
        role=app.role,
        lag=app.lag,
        inference=app.inference,
        aggregation=app.aggregation,
        rollout=app.rollout,
        unready=lambda: app.watchdog.unready,
        is_stopping=lambda: app.should_stop,
    )
    own = SelfState(
        member=member,
        lag=app.lag,
        health=health,
        work=app.work,
        stack=lambda: app.rollout.serving if app.inference.warm else "",
        tables=tables,
        recorder=recorder,
        facts=facts,
    )
    dashboard = Dashboard(lambda: app.address, own.state, recorder, peers.addresses, peers.ask)
    api = Api(settings, health, lambda: serving(app.work))
    offers = Offers(
        send=settings.web_send,
        fetch=settings.web_send and settings.web_fetch != "off",
        heic=reads_heic(),
        max_image_bytes=settings.max_image_bytes,
    )
    web = cast(Web, app.web)
    api.register(web.web_app.router)
    Views(
        web,
        dashboard=dashboard,
        own=own,
        peers=peers,
        lag=app.lag,
        health=health,
        work=app.work,
        rollout=app.rollout,
        api=api,
        offers=offers,
        requests_topic=app.settings.cluster.names.requests,
    ).register(app)

    @cast(Any, app.on_partitions_assigned).connect  # type: ignore[untyped-decorator]
    async def follow_the_group(_app: Any, _assigned: Any, **_: Any) -> None:
        """Detect lost workers even if no client uses the state."""
        dashboard.follow()

    @cast(Any, app.on_before_shutdown).connect  # type: ignore[untyped-decorator]
    async def disconnect_clients(_app: Any, **_: Any) -> None:
        """Disconnect pages and waiting clients, which would keep the web server from stopping."""
        if app.failure is None:  # else the stop is not planned
            await peers.announce_leaving()
        dashboard.close()
        await api.close()
