"""The paths of the web server."""

import prometheus_client
from faust.web import Request, Response, View

from catdog_stream.app import app, tables
from catdog_stream.web.beside import canary_section, shadow_section
from catdog_stream.web.page import render
from catdog_stream.web.statistics import (
    SHARDS_PATH,
    Shards,
    Statistics,
    cluster_statistics,
    local_shards,
)
from catdog_stream.worker.health import health_problems, readiness_problems


def own_shards() -> Shards | None:
    """This worker's part of the statistics."""
    return local_shards(app, tables.values())


async def statistics() -> Statistics:
    """The statistics of the cluster."""
    return await cluster_statistics(app, own_shards())


def about_role() -> str:
    """What sets this worker apart from one that does everything."""
    if app.role.voter is not None:
        return f"It is the voter {app.role.voter}, and these are its votes."
    if app.role.is_jury and app.judging.warm:
        voters = ", ".join(app.settings.voters)
        return f"The jury of {voters}: {app.judging.jury.pending} requests wait for votes here."
    return ""


@app.page("/")
async def index(web: View, _request: Request) -> Response:
    """The page for people."""
    swapping = app.swapping
    stack = swapping.serving if app.classifying.warm else ""
    return web.html(
        render(
            await statistics(),
            stack,
            swapping.loading,
            swapping.problem,
            about_role(),
            beside(),
            app.classifying.drifting.drift,
        )
    )


def beside() -> str:
    """The part of the page about what stands beside the stack that serves."""
    classifying, settings, sections = app.classifying, app.settings, []
    if (canary := classifying.canary) is not None:
        name = f"{canary.name} {canary.version}"
        sections.append(canary_section(name, settings.canary_share))
    if classifying.shadow is not None:
        sections.append(shadow_section(classifying.shadow, settings.shadow_share))
    return "\n".join(sections)


@app.page("/labels/")
async def labels(web: View, _request: Request) -> Response:
    """All counts."""
    current = await statistics()
    return web.json(
        {
            "total": current.total,
            "labels": dict(current.labels),
            "rejected": current.rejected,
            "workers": {"asked": current.asked, "answered": current.answered},
        }
    )


@app.page("/labels/{label}/")
async def label(web: View, _request: Request, label: str) -> Response:
    """One count."""
    counts = (await statistics()).labels
    if label not in counts and label not in app.classifying.classes:
        return web.json({"error": f"There is no label {label!r}."}, status=404)
    return web.json({"label": label, "count": counts.get(label, 0)})


@app.page(SHARDS_PATH)
async def shards(web: View, _request: Request) -> Response:
    """What other workers ask this one."""
    own = own_shards()
    if own is None:
        return web.json({"error": "The tables are recovering."}, status=503)
    return web.json(own)


@app.page("/healthz")
async def healthz(web: View, _request: Request) -> Response:
    """Whether this worker should go on living."""
    return _verdict(web, "alive", health_problems(app))


@app.page("/readyz")
async def readyz(web: View, _request: Request) -> Response:
    """Whether this worker does its work."""
    # It answers, though with another stack than the one that was ordered.
    warnings = [] if app.swapping.problem is None else [app.swapping.problem]
    if app.role.is_jury and app.judging.warm:
        warnings += app.judging.jury.gaps
    more = {"warnings": warnings} if warnings else {}  # readers of today know two fields
    return _verdict(web, "ready", await readiness_problems(app), **more)


@app.page("/metrics")
async def metrics(web: View, _request: Request) -> Response:
    """Metrics for Prometheus."""
    return web.bytes(
        prometheus_client.generate_latest(),
        headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST},
    )


def _verdict(web: View, word: str, problems: list[str], **more: list[str]) -> Response:
    body = {word: not problems, "problems": problems, **more}
    return web.json(body, status=503 if problems else 200)
