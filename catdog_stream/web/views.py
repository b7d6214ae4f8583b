"""Paths of the web server for the page, the statistics and the probes."""

from collections.abc import Mapping
from typing import Any, cast

import faust
import orjson
import prometheus_client
from aiohttp import web as http
from faust.types.web import Request, Response

from catdog_stream.delivery.group_lag import GroupLag
from catdog_stream.metrics import HEALTH
from catdog_stream.web.api.answer import rejected_document
from catdog_stream.web.api.api import Api
from catdog_stream.web.api.problems import NO_STORE, Problem, answer
from catdog_stream.web.assets import asset, static_path
from catdog_stream.web.cluster.counts import Statistics
from catdog_stream.web.cluster.leaving import LEAVING
from catdog_stream.web.cluster.peer_client import SHARDS_PATH
from catdog_stream.web.cluster.peer_queries import MAX_ADDRESS, PeerQueries
from catdog_stream.web.cluster.state import snapshot_document
from catdog_stream.web.health.facts import CAUSES, Cause, Health, Severity
from catdog_stream.web.live.dashboard import Dashboard
from catdog_stream.web.live.self_state import SelfState
from catdog_stream.web.page.charting import points
from catdog_stream.web.page.document import render
from catdog_stream.web.page.health import TITLES
from catdog_stream.web.page.upload_form import Offers
from catdog_stream.web.server import Web
from catdog_stream.worker.aggregation import Aggregation
from catdog_stream.worker.health import Work, WorkerHealth
from catdog_stream.worker.rollout import Rollout

__all__ = ["Views"]

#: Maximum seconds that a page, and a program, waits for workers that may be frozen.
PAGE_WAIT, PROGRAM_WAIT = 0.3, 1.0

#: Maximum digits of a time in seconds. Python refuses to parse thousands of digits.
MAX_DIGITS = 15


class Views:
    """Views of one worker.

    Args:
        web: the web server.
        dashboard: state of the page.
        own: state of this worker.
        peers: queries to the other workers.
        lag: lag of the group.
        health: health of this worker.
        work: service that answers requests.
        rollout: rollout of stacks.
        api: the API, which may have a problem of its own.
        offers: ways to send pictures from the page.
        requests_topic: name of the topic of requests.
    """

    def __init__(
        self,
        web: Web,
        *,
        dashboard: Dashboard,
        own: SelfState,
        peers: PeerQueries,
        lag: GroupLag,
        health: WorkerHealth,
        work: Work,
        rollout: Rollout,
        api: Api,
        offers: Offers,
        requests_topic: str,
    ) -> None:
        self._web = web
        self._dashboard = dashboard
        self._own = own
        self._peers = peers
        self._lag = lag
        self._health = health
        self._work = work
        self._rollout = rollout
        self._api = api
        self._offers = offers
        self._requests_topic = requests_topic

    def register(self, app: faust.App) -> None:
        """Register the paths with the web server of ``app``."""
        for path, view in (
            ("/", self.index),
            ("/events", self.events),
            ("/history/", self.history),
            ("/pictures/{id}", self.picture),
            ("/static/{version}/{name}", self.static),
            ("/labels/", self.labels),
            ("/labels/{label}/", self.label),
            ("/rejected/", self.rejected),
            (SHARDS_PATH, self.shards),
            ("/healthz", self.healthz),
            ("/readyz", self.readyz),
            ("/metrics", self.metrics),
        ):
            app.page(path)(cast(Any, view))

    async def _statistics(self) -> Statistics:
        """Return the statistics of the cluster."""
        return await self._dashboard.statistics(self._own.shards(), PROGRAM_WAIT)

    async def index(self, _request: Request) -> Response:
        """Return the page for people."""
        return self._web.html(
            render(await self._dashboard.view(PAGE_WAIT), static_path(), self._offers),
            headers=dict(NO_STORE),
        )

    async def events(self, request: Request) -> Response:
        """Stream the updates of the page."""
        return cast(Response, await self._dashboard.events(cast(http.Request, request)))

    async def history(self, _request: Request) -> Response:
        """Return the last hour, in slots of ten seconds."""
        return _utf8_json(points(await self._dashboard.view(PAGE_WAIT)).document())

    async def picture(self, _request: Request, id: str) -> Response:
        """Return the thumbnail of one of the latest pictures."""
        small = await self._dashboard.thumbnail(id)
        if not small:
            raise Problem(404, "There is no such picture any more.")
        keep = {"Cache-Control": "private, max-age=3600, immutable"}
        return self._web.bytes(small, content_type="image/jpeg", headers=keep)

    async def static(self, request: Request, version: str, name: str) -> Response:
        """Return the page's style sheet or a script."""
        return cast(Response, asset(cast(http.Request, request), version, name))

    async def labels(self, _request: Request) -> Response:
        """Return all counts."""
        current = await self._statistics()
        rates = self._lag.flow.rates()
        return self._json(
            {
                "total": current.total,
                "labels": dict(current.labels),
                "rejected": current.rejected,
                "workers": {"asked": current.asked, "answered": current.answered},
                # Requests per second of the whole group.
                "rates": None if rates is None else rates._asdict(),
            }
        )

    async def label(self, _request: Request, label: str) -> Response:
        """Return the count of one label."""
        counts = (await self._statistics()).labels
        if label not in counts and label not in self._work.classes:
            detail = f"There is no label {label!r}."
            # Existing clients read the field error.
            return cast(Response, answer("/labels/", Problem(404, detail, error=detail)))
        return self._json({"label": label, "count": counts.get(label, 0)})

    async def rejected(self, _request: Request) -> Response:
        """Return the rejected requests by reason, and the latest of each."""
        view = await self._dashboard.view(PROGRAM_WAIT)
        return _utf8_json(
            rejected_document(view.statistics.rejections, view.rejected, self._requests_topic)
        )

    async def shards(self, request: Request) -> Response:
        """Return the state for other workers."""
        query = cast(http.Request, request).query
        if LEAVING in query:
            await self._dashboard.note_leaving(query[LEAVING][:MAX_ADDRESS])
            return self._json({})
        if "since" in query:
            since = seconds(query["since"])
            seen, counted = query.get("seen", "").split(","), query.get("counted", "")
            snapshot = await self._dashboard.snapshot(since, seen, counted)
            return _utf8_json(snapshot_document(snapshot), self._peers.proof())
        told = self._own.shards()
        if told is None:
            # Workers of older versions read the field error.
            raise Problem(503, "The tables are recovering.", error="The tables are recovering.")
        return self._json(told)

    async def healthz(self, _request: Request) -> Response:
        """Return the liveness of this worker."""
        return self._verdict("alive", self._health.problems)

    async def readyz(self, _request: Request) -> Response:
        """Return the readiness of this worker."""
        # The worker answers, though with another stack than the deployed one.
        problems = (self._rollout.problem, self._api.problem)
        warnings = [problem for problem in problems if problem is not None]
        if isinstance(self._work, Aggregation) and self._work.warm:
            warnings += [*self._work.jury.gaps, *self._work.jury.absent]
        # Anybody may ask: the figures and names are on the page and in /metrics. The other causes
        # are reported already, as this worker's own problems and warnings.
        causes = (await self._dashboard.health()).causes - {"not_ready", "fault"}
        warnings += [f"{TITLES[cause]}: see the page or /metrics." for cause in sorted(causes)]
        more = {"warnings": warnings} if warnings else {}  # existing clients know two fields
        return self._verdict("ready", await self._health.readiness_problems(), **more)

    async def metrics(self, _request: Request) -> Response:
        """Return the metrics for Prometheus."""
        note_health(await self._dashboard.health())
        return self._web.bytes(
            prometheus_client.generate_latest(),
            headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST},
        )

    def _json(self, document: Any) -> Response:
        """Return a JSON response in Faust's form, which existing clients know."""
        return cast(Response, self._web.json(document))

    def _verdict(self, word: str, problems: list[str], **more: list[str]) -> Response:
        body: dict[str, Any] = {word: not problems, "problems": problems, **more}
        if problems:
            # Existing probes know only the fields of the body.
            return cast(Response, answer("/", Problem(503, " ".join(problems), **body)))
        return self._json(body)


def note_health(health: Health) -> None:
    """Set this worker's metrics of the state of the stream."""
    worst: dict[Cause, Severity] = dict.fromkeys(CAUSES, Severity.OK)
    for each in health.conditions:
        if each.cause is not None:
            worst[each.cause] = max(worst[each.cause], each.severity)
    for cause, severity in worst.items():
        HEALTH.labels(cause).set(severity)


def _utf8_json(document: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response; all text in ``document`` must be encodable as UTF-8."""
    body = orjson.dumps(document)
    return cast(
        Response, http.Response(body=body, content_type="application/json", headers=headers)
    )


def seconds(text: str) -> int:
    """Return the number in a query; 0 if it is not a number, or longer than any time."""
    return int(text) if len(text) <= MAX_DIGITS and text.isdecimal() else 0
