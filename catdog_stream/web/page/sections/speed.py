"""Labels per second, and the time to an answer: now, and over the last hour."""

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.charting import Line, lines, points
from catdog_stream.web.page.parts import Section, When
from catdog_stream.web.page.text import count, rate, seconds
from catdog_stream.web.recording.history import RECENT_SECONDS, SLOT_SECONDS
from catdog_stream.web.recording.latency import percentile

__all__ = ["LATENCY", "RATE"]


def rate_body(view: ClusterView, _when: When) -> str:
    """Return the rates of labels."""
    peak = max((slot.labelled for slot in view.hour.values()), default=0) / SLOT_SECONDS
    return _figures(
        ("now", f"{rate(view.recent.labelled / RECENT_SECONDS)}/s"),
        ("peak of the hour", f"{rate(peak)}/s"),
        ("in the hour", count(view.in_hour.labelled)),
    )


def latency_body(view: ClusterView, _when: When) -> str:
    """Return latencies, from a request's arrival in Kafka to the confirmed answer."""
    now, hour = view.recent.bins, view.in_hour.bins
    return _figures(
        ("p50 now", seconds(percentile(now, 0.5))),
        ("p99 now", seconds(percentile(now, 0.99))),
        ("p50 of the hour", seconds(percentile(hour, 0.5))),
        ("p99 of the hour", seconds(percentile(hour, 0.99))),
    )


def _figures(*figures: tuple[str, str]) -> str:
    items = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in figures)
    return f'<dl class="figures">{items}</dl>'


def _rate_tail(view: ClusterView) -> str:
    hour = points(view)
    series = [
        Line(name, hour.colors[n], [row.labels[n] / SLOT_SECONDS for row in hour.rows])
        for n, name in enumerate(hour.labels)
    ]
    rejected = Line("rejected", "refused", [row.rejected / SLOT_SECONDS for row in hour.rows])
    return lines(
        "rate",
        "Labels per second over the last hour",
        [*series, rejected],
        lambda n: f"{rate(n)}/s",
    )


def _latency_tail(view: ClusterView) -> str:
    rows = points(view).rows
    series = [
        Line("p50", "p50", [row.p50 for row in rows]),
        Line("p99", "p99", [row.p99 for row in rows]),
    ]
    return lines("latency", "Time to an answer over the last hour", series, seconds)


RATE = Section("rate", "Labels per second", rate_body, _rate_tail)
LATENCY = Section("latency", "Time to an answer", latency_body, _latency_tail)
