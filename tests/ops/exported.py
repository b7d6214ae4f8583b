"""Series that ``/metrics`` exports, with their labels."""

from collections.abc import Mapping

from prometheus_client import REGISTRY, Info
from prometheus_client.metrics import MetricWrapperBase

from catdog_stream import metrics

__all__ = ["SERIES"]

_SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_count", "_sum"),
    "info": ("_info",),
}
#: Labels that Prometheus adds to every target.
_TARGET = {"job", "instance"}
#: Labels of an ``Info``, which are set at run time.
_STACK = {"name", "version", "engine"}


def _labels() -> dict[str, set[str]]:
    """Return the labels by the family's name; foreign families have none."""
    found = {metric.name: set(metric._labelnames) for metric in metrics.LAG.collect()}
    for value in vars(metrics).values():
        if isinstance(value, MetricWrapperBase):
            own = set(value._labelnames)
            if isinstance(value, Info):
                own = set(value._value) or _STACK
            found[value._name] = own
    return found


def _series() -> dict[str, set[str]]:
    labels = _labels()
    found = {"up": set(_TARGET)}
    for family in REGISTRY.collect():
        for suffix in _SUFFIXES[family.type]:
            bucket = {"le"} if suffix == "_bucket" else set()
            own = labels.get(family.name, set())
            found[family.name + suffix] = own | bucket | _TARGET
    return found


#: Name of a series to its labels.
SERIES: Mapping[str, set[str]] = _series()
