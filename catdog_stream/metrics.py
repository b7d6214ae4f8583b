"""Every metric of ``/metrics``, in Prometheus' naming, and what it means.

The process's own (``process_resident_memory_bytes``, ``process_cpu_seconds_total`` and others)
come with ``prometheus_client``.
"""

from prometheus_client import Counter, Gauge, Histogram, Info

__all__ = [
    "BATCH_PICTURES",
    "DRIFT_FOUND",
    "DRIFT_INDEX",
    "DRIFT_NOW",
    "DRIFT_REFERENCE",
    "INFERENCE_SECONDS",
    "IN_FLIGHT",
    "LABELS",
    "REJECTIONS",
    "REQUEST_SECONDS",
    "STACK",
    "STACKS_REFUSED",
]

LABELS = Counter("catdog_labels_total", "Labels published by this worker.", ["label"])
REJECTIONS = Counter("catdog_rejections_total", "Requests rejected by this worker.", ["reason"])
IN_FLIGHT = Gauge("catdog_requests_in_flight", "Requests taken and not yet acknowledged.")
REQUEST_SECONDS = Histogram(
    "catdog_request_seconds",
    "From taking a request to Kafka's confirmation of its answer.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
STACK = Info("catdog_stack", "What answers the next request.")
STACKS_REFUSED = Counter(
    "catdog_stacks_refused_total", "Orders to serve another stack that were not followed."
)
DRIFT_INDEX = Gauge(
    "catdog_drift_index",
    "Population stability index of the last verdicts of this worker's stack against its reference.",
    ["of"],
)
DRIFT_FOUND = Gauge("catdog_drift_found", "Whether that is more than chance, and matters.", ["of"])
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
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
