"""Metrics of ``/metrics``, named as Prometheus recommends, with their descriptions.

``prometheus_client`` adds the metrics of the process (``process_resident_memory_bytes``,
``process_cpu_seconds_total`` and others).
"""

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final, Literal, get_args

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, Info
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from catdog_stream import __version__

__all__ = [
    "BATCH_PICTURES",
    "BROKER_ERRORS",
    "BUILD",
    "CANARY",
    "DECISIONS",
    "DRIFT_FOUND",
    "DRIFT_INDEX",
    "DRIFT_NOW",
    "DRIFT_REFERENCE",
    "HEALTH",
    "INFERENCE_SECONDS",
    "IN_FLIGHT",
    "LABELS",
    "LAG",
    "OBSERVER_ERRORS",
    "QUEUE_SECONDS",
    "READY",
    "REJECTIONS",
    "REQUEST_SECONDS",
    "SHADOW",
    "SHADOW_CPU_SECONDS",
    "SHADOW_DIFFERENCE",
    "SHADOW_FAILURES",
    "SHADOW_LARGEST_DIFFERENCE",
    "SHADOW_PICTURES",
    "SHADOW_SECONDS",
    "STACK",
    "STACKS_REFUSED",
    "STACK_ORDER_FOLLOWED",
    "STAGE_SECONDS",
    "UNDECIDED",
    "VOTES_CAST",
    "VOTES_READ",
    "Values",
    "count_broker_error",
    "labels_of",
    "request_seconds_of",
    "stack_value",
    "votes_cast_of",
]

#: Seconds. A network on a GPU takes less than 1 ms per picture, a network on a small CPU hundreds.
_SECONDS = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.0075),
    *(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_MINUTE, _HOUR, _DAY = 60, 3600, 86400

BUILD = Info("catdog_build", "Version of this program, and of Python.")
BUILD.info({"version": __version__, "python": platform.python_version()})
READY = Gauge("catdog_ready", "1 while /readyz answers 200, 0 while it answers 503.")
HEALTH = Gauge(
    "catdog_health",
    "State of the stream by cause, as this worker sees it: 0 ok, 1 info, 2 warning, 3 critical.",
    ["cause"],
)
LABELS = Counter("catdog_labels_total", "Labels published by this worker.", ["label", "stack"])
REJECTIONS = Counter("catdog_rejections_total", "Requests rejected by this worker.", ["reason"])
IN_FLIGHT = Gauge("catdog_requests_in_flight", "Requests taken and not yet acknowledged.")
REQUEST_SECONDS = Histogram(
    "catdog_request_seconds",
    "From taking a request to Kafka's confirmation of its answer. Rejected ones have no stack.",
    ["stack"],
    buckets=_SECONDS,
)
QUEUE_SECONDS = Histogram(
    "catdog_queue_seconds",
    "From the time of a request's record in Kafka to when this worker took it.",
    buckets=(
        *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        *(_MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR, 6 * _HOUR, _DAY),
    ),
)
STAGE_SECONDS = Histogram(
    "catdog_stage_seconds",
    "What each stage of a request took; those of one request make up its catdog_request_seconds.",
    ["stage"],
    buckets=_SECONDS,
)
#: connect: no connection to a broker could be opened. request: a request got no response. cluster:
#: no broker answered a check of the cluster, or a partition had no leader. commit: the coordinator
#: refused offsets. publish: a broker refused an answer.
BrokerErrorKind = Literal["connect", "request", "cluster", "commit", "publish"]
OBSERVER_ERRORS = Counter(
    "catdog_observer_errors_total",
    "Failures of observers of answers: of the page, the metrics, drift or traces.",
    ["observer"],
)
BROKER_ERRORS = Counter(
    "catdog_broker_errors_total", "What went wrong between this worker and Kafka.", ["kind"]
)
for _kind in get_args(BrokerErrorKind):
    BROKER_ERRORS.labels(_kind)  # a rate needs the value before the first error


def count_broker_error(kind: BrokerErrorKind) -> None:
    """Count one error of this kind."""
    BROKER_ERRORS.labels(kind).inc()


class _Lag(Collector):
    """Gauges that are computed at each scrape, because partitions come and go."""

    def __init__(self) -> None:
        self._of: Callable[[], Mapping[int, tuple[int, int] | None]] = dict

    def set_function(self, of: Callable[[], Mapping[int, tuple[int, int] | None]]) -> None:
        """Set the function that returns the lag of each partition, ``None`` if it is unknown.

        Each lag is a pair: up to the end of the partition, and up to the last readable record.
        """
        self._of = of

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the current lag; a partition with an unknown lag has no sample."""
        end = GaugeMetricFamily(
            "catdog_lag",
            "Records between the group's committed offset and the end of a partition.",
            labels=["partition"],
        )
        readable = GaugeMetricFamily(
            "catdog_lag_readable",
            "The same without records that an open transaction keeps from being read.",
            labels=["partition"],
        )
        for partition, lag in self._of().items():
            if lag is not None:
                for family, records in zip((end, readable), lag, strict=True):
                    family.add_metric([str(partition)], records)
        yield from (end, readable)


LAG = _Lag()
REGISTRY.register(LAG)


#: Maximum distinct values of one label; further values share ``OTHER``. The values come from
#: custom classifiers and from votes, which are untrusted.
MAX_VALUES = 100
#: The same for pairs of two labels.
MAX_PAIRS = 1000
OTHER: Final = "other"


class Values:
    """Limit on the values of a label: each time series stays in memory until the process ends.

    Args:
        most: maximum number of values that are kept apart.
        first: values among them from the start.
    """

    def __init__(self, most: int = MAX_VALUES, first: Iterable[str] = ()) -> None:
        self._most = most
        self._known = set(first)

    def __call__(self, value: str) -> str:
        """Return the value, or ``OTHER`` if the maximum of other values is reached."""
        if value not in self._known:
            if len(self._known) >= self._most:
                return OTHER
            self._known.add(value)
        return value


_label_and_stack, _vote = Values(MAX_PAIRS), Values()
#: Limit on the stacks in every metric that has this label.
stack_value = Values()


def labels_of(label: str, stack: str) -> Counter:
    """Return the child of ``LABELS`` for one label and stack."""
    if _label_and_stack(f"{label}\n{stack}") == OTHER:
        return LABELS.labels(OTHER, OTHER)
    return LABELS.labels(label, stack)


@lru_cache(maxsize=1000)
def request_seconds_of(stack: str) -> Histogram:
    """Return the child of ``REQUEST_SECONDS`` for one stack; rejections have an empty stack."""
    return REQUEST_SECONDS.labels(stack_value(stack))


def votes_cast_of(vote: str) -> Counter:
    """Return the child of ``VOTES_CAST`` for a label or a reason."""
    return VOTES_CAST.labels(_vote(vote))


STACK = Info("catdog_stack", "What answers the next request.")
STACK_ORDER_FOLLOWED = Gauge(
    "catdog_stack_order_followed",
    "1 if this worker serves what was ordered last, or nothing was; 0 if it refused that.",
)
STACK_ORDER_FOLLOWED.set(1)
CANARY = Info("catdog_canary", "What answers a share of the requests.")
STACKS_REFUSED = Counter(
    "catdog_stacks_refused_total", "Orders to serve another stack that were not followed."
)
DRIFT_INDEX = Gauge(
    "catdog_drift_index",
    "Population stability index of the last verdicts of this worker's stack against its reference.",
    ["of"],
)
DRIFT_FOUND = Gauge(
    "catdog_drift_found", "Whether that is more than random variation, and matters.", ["of"]
)
DRIFT_NOW = Gauge(
    "catdog_drift_now", "Share of a verdict, or a mean, in the last verdicts.", ["of", "value"]
)
DRIFT_REFERENCE = Gauge("catdog_drift_reference", "The same in the reference.", ["of", "value"])
BATCH_PICTURES = Histogram(
    "catdog_batch_pictures", "Pictures in one call of the model.", buckets=(1, 2, 4, 8, 16, 32, 64)
)
INFERENCE_SECONDS = Histogram(
    "catdog_inference_seconds",
    "One call of the model.",
    buckets=_SECONDS,
)
VOTES_CAST = Counter(
    "catdog_votes_cast_total", "Votes published by this voter.", ["vote"]
)  # a label or a reason
VOTES_READ = Counter(
    "catdog_votes_read_total",
    "Votes read by this member of the jury, and what became of them.",
    ["voter", "fate"],
)
DECISIONS = Counter(
    "catdog_decisions_total",
    "Requests decided by this member of the jury, with all votes or without some.",
    ["votes"],
)
UNDECIDED = Gauge("catdog_requests_undecided", "Requests that wait for votes.")

SHADOW = Info("catdog_shadow", "What looks at answers of others.")
SHADOW_PICTURES = Counter(
    "catdog_shadow_pictures_total",
    "Pictures that the shadow was to look at: agreed, disagreed, rejected, failed or dropped.",
    ["answered", "outcome"],
)
SHADOW_DIFFERENCE = Histogram(
    "catdog_shadow_difference",
    "Between what was answered and what the shadow says, the largest of a class's probabilities.",
    ["answered"],
    buckets=(0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1),
)
SHADOW_LARGEST_DIFFERENCE = Gauge(
    "catdog_shadow_largest_difference", "The largest of these differences.", ["answered"]
)
SHADOW_SECONDS = Histogram(
    "catdog_shadow_seconds",
    "One picture, decoding included, at the lowest priority.",
    buckets=(*_SECONDS, _MINUTE),
)
SHADOW_CPU_SECONDS = Counter(
    "catdog_shadow_cpu_seconds_total", "Processor time that the shadow took to look at pictures."
)
SHADOW_FAILURES = Counter(
    "catdog_shadow_failures_total", "Times that the shadow ended, hung or could not be loaded."
)
