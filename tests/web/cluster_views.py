"""Cluster views for tests of the page."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from catdog_stream.web.cluster.counts import Statistics
from catdog_stream.web.cluster.state import WorkerState
from catdog_stream.web.cluster.view import ClusterView, WorkerView
from catdog_stream.web.health.assessment import assess
from catdog_stream.web.live.health_facts import stream_facts
from catdog_stream.web.recording.history import Slot

NOW = 1_700_000_000.0
HERE = "http://here:6066"


def worker(
    address: str = HERE,
    standing: Any = "here",
    age: float | None = 0.0,
    *,
    gone: float | None = None,
    **state: Any,
) -> WorkerView:
    """Return a worker."""
    return WorkerView(address, WorkerState(**{"shards": {}, **state}), standing, age, gone)


def cluster(
    labels: Mapping[str, int] | None = None,
    rejections: Mapping[str, int] | None = None,
    *workers: WorkerView,
    **more: Any,
) -> ClusterView:
    """Return a cluster of one worker, or of the given workers."""
    workers = workers or (worker(),)
    found: dict[str, Any] = {
        "recent": Slot(),
        "hour": {},
        "in_hour": Slot(),
        "pictures": (),
        "rejected": {},
        "lag": {},
        **more,
    }
    counts = Statistics(labels or {}, rejections or {}, len(workers), len(workers))
    view = ClusterView(now=NOW, statistics=counts, workers=workers, **found)
    return replace(view, health=assess(stream_facts(view)))
