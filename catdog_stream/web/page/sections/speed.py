"""Labels per second, and the time to an answer: now, and over the last hour."""

from typing import Any

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.charting import Chart, chart, points
from catdog_stream.web.page.section import Section
from catdog_stream.web.page.text import rate, seconds, thousands
from catdog_stream.web.recording.history import RECENT_SECONDS, SLOT_SECONDS
from catdog_stream.web.recording.latency import percentile

__all__ = ["LATENCY", "RATE"]


def rates(view: ClusterView) -> dict[str, Any]:
    """Return the rates of labels."""
    peak = max((slot.labelled for slot in view.hour.values()), default=0) / SLOT_SECONDS
    return {
        "figures": (
            ("now", f"{rate(view.recent.labelled / RECENT_SECONDS)}/s"),
            ("peak of the hour", f"{rate(peak)}/s"),
            ("in the hour", thousands(view.in_hour.labelled)),
        )
    }


def latencies(view: ClusterView) -> dict[str, Any]:
    """Return latencies, from a request's arrival in Kafka to the confirmed answer."""
    now, hour = view.recent.bins, view.in_hour.bins
    return {
        "figures": (
            ("typical now", seconds(percentile(now, 0.5))),
            ("slowest 1 % now", seconds(percentile(now, 0.99))),
            ("typical in the hour", seconds(percentile(hour, 0.5))),
            ("slowest 1 % in the hour", seconds(percentile(hour, 0.99))),
        )
    }


def _rate_chart(view: ClusterView) -> Chart:
    hour = points(view)
    lines = [
        (name, hour.colors[n], [row.labels[n] / SLOT_SECONDS for row in hour.rows])
        for n, name in enumerate(hour.labels)
    ]
    lines.append(("rejected", "refused", [row.rejected / SLOT_SECONDS for row in hour.rows]))
    return chart("Labels per second over the last hour", lines, lambda n: f"{rate(n)}/s")


def _latency_chart(view: ClusterView) -> Chart:
    rows = points(view).rows
    lines = [
        ("typical", "p50", [row.p50 for row in rows]),
        ("slowest 1 %", "p99", [row.p99 for row in rows]),
    ]
    return chart("Time to an answer over the last hour", lines, seconds)


RATE = Section("rate", "Labels per second", rates, _rate_chart)
LATENCY = Section("latency", "Time to an answer", latencies, _latency_chart)
