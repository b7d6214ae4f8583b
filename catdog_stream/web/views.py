"""Paths of the web server."""

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any, cast

import orjson
import prometheus_client
from aiohttp import web as http
from faust.web import Request, Response, View

from catdog_stream.app import app, tables
from catdog_stream.metrics import HEALTH
from catdog_stream.web.api.answer import rejected_document
from catdog_stream.web.api.api import Api
from catdog_stream.web.api.guards.tokens import bearer
from catdog_stream.web.api.problems import NO_STORE, Problem, answer
from catdog_stream.web.assets import asset, static_path
from catdog_stream.web.cluster.allowed_peers import check_peer
from catdog_stream.web.cluster.counts import Statistics
from catdog_stream.web.cluster.leaving import LEAVING, announce_leaving
from catdog_stream.web.cluster.peer_client import SHARDS_PATH, ask
from catdog_stream.web.cluster.peer_tokens import ANSWER_HEADER, answer_proof, question_token
from catdog_stream.web.cluster.peers import MAX_PEERS
from catdog_stream.web.cluster.state import PeerSnapshot, news_document
from catdog_stream.web.fetching.picture import reads_heic
from catdog_stream.web.health.facts import CAUSES, Cause, Health, Severity
from catdog_stream.web.live.dashboard import Dashboard
from catdog_stream.web.live.self_state import SelfState
from catdog_stream.web.page.charting import points
from catdog_stream.web.page.document import render
from catdog_stream.web.page.health import TITLES
from catdog_stream.web.page.upload_form import Offers
from catdog_stream.web.recording.recorder import Recorder
from catdog_stream.worker.health import health_problems, readiness_problems

#: Maximum seconds that a page, and a program, waits for workers that may be frozen.
PAGE_WAIT, PROGRAM_WAIT = 0.3, 1.0

#: Maximum digits of a time in seconds. Python refuses to parse thousands of digits.
MAX_DIGITS = 15
#: Maximum characters of another worker's address.
MAX_ADDRESS = 300

recorder = Recorder(age=app.lag.age)
app.observers.add(recorder)


def other_addresses() -> set[str]:
    """Return the addresses of the group's other workers."""
    told = app.router.tables_metadata()  # every member of the group states its address
    return {str(url).rstrip("/")[:MAX_ADDRESS] for url in told} - {app.address}


def _headers(address: str) -> dict[str, str]:
    """Return the headers of a query to another worker. Raise ``PermissionError``."""
    settings = app.settings
    check_peer(address, app.address, settings.web_peers)
    secret = settings.peer_secret
    return bearer(None if secret is None else question_token(secret, address))


def peers_to_tell() -> list[tuple[str, dict[str, str]]]:
    """Return the other workers that may be queried, with the headers of a query."""
    found = []
    for address in sorted(other_addresses())[:MAX_PEERS]:
        with contextlib.suppress(PermissionError):
            found.append((address, _headers(address)))
    return found


async def _ask(address: str, since: int, seen: Iterable[str]) -> PeerSnapshot:
    headers, secret = _headers(address), app.settings.peer_secret
    proof = None if secret is None else answer_proof(secret, address)
    return await ask(app.http_client, address, since, seen, headers, proof)


def _proof() -> dict[str, str]:
    """Return the header that proves to other workers that this is a worker."""
    secret = app.settings.peer_secret
    return {} if secret is None else {ANSWER_HEADER: answer_proof(secret, app.address)}


own = SelfState(app, tables.values(), recorder)
dashboard = Dashboard(lambda: app.address, own.state, recorder, other_addresses, _ask)
api = Api(app)
OFFERS = Offers(
    send=app.settings.web_send,
    fetch=app.settings.web_send and app.settings.web_fetch != "off",
    heic=reads_heic(),
    max_image_bytes=app.settings.max_image_bytes,
)
api.register(cast(Any, app.web).web_app.router)


@cast(Any, app.on_partitions_assigned).connect  # type: ignore[untyped-decorator]
async def follow_the_group(_app: Any, _assigned: Any, **_: Any) -> None:
    """Detect lost workers even if no client uses the state."""
    dashboard.follow()


@cast(Any, app.on_before_shutdown).connect  # type: ignore[untyped-decorator]
async def let_pages_go(_app: Any, **_: Any) -> None:
    """Disconnect pages and waiting clients, which would keep the web server from stopping."""
    if app.failure is None:  # else the stop is not planned
        await announce_leaving(app.http_client, app.address, peers_to_tell())
    dashboard.close()
    await api.close()


async def statistics() -> Statistics:
    """Return the statistics of the cluster."""
    return await dashboard.statistics(own.shards(), PROGRAM_WAIT)


@app.page("/")
async def index(web: View, _request: Request) -> Response:
    """Return the page for people."""
    return web.html(
        render(await dashboard.view(PAGE_WAIT), static_path(), OFFERS), headers=dict(NO_STORE)
    )


@app.page("/events")
async def events(_web: View, request: Request) -> Response:
    """Stream the updates of the page."""
    return cast(Response, await dashboard.events(cast(http.Request, request)))


@app.page("/history/")
async def history(_web: View, _request: Request) -> Response:
    """Return the last hour, in slots of ten seconds."""
    return _json(points(await dashboard.view(PAGE_WAIT)).document())


@app.page("/pictures/{id}")
async def picture(web: View, _request: Request, id: str) -> Response:
    """Return the thumbnail of one of the latest pictures."""
    small = await dashboard.thumbnail(id)
    if not small:
        raise Problem(404, "There is no such picture any more.")
    keep = {"Cache-Control": "private, max-age=3600, immutable"}
    return web.bytes(small, content_type="image/jpeg", headers=keep)


@app.page("/static/{version}/{name}")
async def static(_web: View, request: Request, version: str, name: str) -> Response:
    """Return the page's style sheet or a script."""
    return cast(Response, asset(cast(http.Request, request), version, name))


@app.page("/labels/")
async def labels(web: View, _request: Request) -> Response:
    """Return all counts."""
    current = await statistics()
    rates = app.lag.flow.rates()
    return web.json(
        {
            "total": current.total,
            "labels": dict(current.labels),
            "rejected": current.rejected,
            "workers": {"asked": current.asked, "answered": current.answered},
            # Requests per second of the whole group.
            "rates": None if rates is None else rates._asdict(),
        }
    )


@app.page("/labels/{label}/")
async def label(web: View, _request: Request, label: str) -> Response:
    """Return the count of one label."""
    counts = (await statistics()).labels
    if label not in counts and label not in app.work.classes:
        detail = f"There is no label {label!r}."
        # Existing clients read the field error.
        return cast(Response, answer("/labels/", Problem(404, detail, error=detail)))
    return web.json({"label": label, "count": counts.get(label, 0)})


@app.page("/rejected/")
async def rejected(_web: View, _request: Request) -> Response:
    """Return the rejected requests by reason, and the latest of each."""
    view = await dashboard.view(PROGRAM_WAIT)
    return _json(rejected_document(view.statistics.rejections, view.rejected))


@app.page(SHARDS_PATH)
async def shards(web: View, request: Request) -> Response:
    """Return the state for other workers."""
    query = cast(http.Request, request).query
    if LEAVING in query:
        await dashboard.note_leaving(query[LEAVING][:MAX_ADDRESS])
        return web.json({})
    if "since" in query:
        since = seconds(query["since"])
        news = await dashboard.news(since, query.get("seen", "").split(","))
        return _json(news_document(news), _proof())
    told = own.shards()
    if told is None:
        # Workers of older versions read the field error.
        raise Problem(503, "The tables are recovering.", error="The tables are recovering.")
    return web.json(told)


@app.page("/healthz")
async def healthz(web: View, _request: Request) -> Response:
    """Return the liveness of this worker."""
    return _verdict(web, "alive", health_problems(app))


@app.page("/readyz")
async def readyz(web: View, _request: Request) -> Response:
    """Return the readiness of this worker."""
    # The worker answers, though with another stack than the deployed one.
    problems = (app.rollout.problem, api.problem)
    warnings = [problem for problem in problems if problem is not None]
    if app.role.is_jury and app.aggregation.warm:
        warnings += [*app.aggregation.jury.gaps, *app.aggregation.jury.absent]
    # Anybody may ask: the figures and names are on the page and in /metrics. The other causes are
    # reported already, as this worker's own problems and warnings.
    causes = (await dashboard.health()).causes - {"not_ready", "fault"}
    warnings += [f"{TITLES[cause]}: see the page or /metrics." for cause in sorted(causes)]
    more = {"warnings": warnings} if warnings else {}  # existing clients know two fields
    return _verdict(web, "ready", await readiness_problems(app), **more)


@app.page("/metrics")
async def metrics(web: View, _request: Request) -> Response:
    """Return the metrics for Prometheus."""
    note_health(await dashboard.health())
    return web.bytes(
        prometheus_client.generate_latest(),
        headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST},
    )


def note_health(health: Health) -> None:
    """Set this worker's metrics of the state of the stream."""
    worst: dict[Cause, Severity] = dict.fromkeys(CAUSES, Severity.OK)
    for each in health.conditions:
        if each.cause is not None:
            worst[each.cause] = max(worst[each.cause], each.severity)
    for cause, severity in worst.items():
        HEALTH.labels(cause).set(severity)


def _json(document: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response; all text in ``document`` must be encodable as UTF-8."""
    body = orjson.dumps(document)
    return cast(
        Response, http.Response(body=body, content_type="application/json", headers=headers)
    )


def seconds(text: str) -> int:
    """Return the number in a query; 0 if it is not a number, or longer than any time."""
    return int(text) if len(text) <= MAX_DIGITS and text.isdecimal() else 0


def _verdict(web: View, word: str, problems: list[str], **more: list[str]) -> Response:
    body: dict[str, Any] = {word: not problems, "problems": problems, **more}
    if problems:
        # Existing probes know only the fields of the body.
        return cast(Response, answer("/", Problem(503, " ".join(problems), **body)))
    return web.json(body)
