"""What this process has counted so far."""

from prometheus_client import REGISTRY

from catdog_stream.metrics import BrokerErrorKind

__all__ = ["broker_errors"]


def broker_errors(kind: BrokerErrorKind) -> float:
    """What went wrong with Kafka, of one kind."""
    value = REGISTRY.get_sample_value("catdog_broker_errors_total", {"kind": kind})
    assert value is not None, "a rate would miss the first one"
    return value
