"""Clusters for tests of the page."""

from collections.abc import Mapping
from typing import Any

from catdog_stream.web.cluster.counts import Statistics
from catdog_stream.web.cluster.state import WorkerState
from catdog_stream.web.cluster.view import ClusterView, WorkerView
from catdog_stream.web.recording.history import Slot

NOW = 1_700_000_000.0
HERE = "http://here:6066"


def worker(
    address: str = HERE, standing: Any = "here", age: float | None = 0.0, **state: Any
) -> WorkerView:
    """One worker."""
    return WorkerView(address, WorkerState(**{"shards": {}, **state}), standing, age)


def cluster(
    labels: Mapping[str, int] | None = None,
    rejections: Mapping[str, int] | None = None,
    *workers: WorkerView,
    **more: Any,
) -> ClusterView:
    """A cluster of one worker, if no others are named."""
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
    return ClusterView(now=NOW, statistics=counts, workers=workers, **found)
