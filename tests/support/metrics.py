"""Metrics of this process, and those that a worker exports."""

import requests
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from catdog_stream.metrics import BrokerErrorKind

__all__ = ["Samples", "broker_errors", "samples"]

#: Labels and value of each sample of a metric.
Samples = list[tuple[dict[str, str], float]]


def broker_errors(kind: BrokerErrorKind) -> float:
    """Return the number of Kafka errors of one kind."""
    value = REGISTRY.get_sample_value("catdog_broker_errors_total", {"kind": kind})
    assert value is not None, "a rate would miss the first one"
    return value


def samples(port: int, name: str) -> Samples:
    """Return the samples of a metric that the worker at ``port`` exports."""
    text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    return [
        (sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    ]
