"""Every metric of ``/metrics``, in Prometheus' naming, and what it means.

The process's own (``process_resident_memory_bytes``, ``process_cpu_seconds_total`` and others)
come with ``prometheus_client``.
"""

from prometheus_client import Counter, Gauge, Histogram, Info

__all__ = [
    "BATCH_PICTURES",
    "DECISIONS",
    "INFERENCE_SECONDS",
    "IN_FLIGHT",
    "LABELS",
    "REJECTIONS",
    "REQUEST_SECONDS",
    "STACK",
    "STACKS_REFUSED",
    "STACK_ORDER_FOLLOWED",
    "UNDECIDED",
    "VOTES_CAST",
    "VOTES_READ",
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
STACK_ORDER_FOLLOWED = Gauge(
    "catdog_stack_order_followed",
    "1 if this worker serves what was ordered last, or nothing was; 0 if it refused that.",
)
STACK_ORDER_FOLLOWED.set(1)
STACKS_REFUSED = Counter(
    "catdog_stacks_refused_total", "Orders to serve another stack that were not followed."
)
BATCH_PICTURES = Histogram(
    "catdog_batch_pictures", "Pictures in one call of the model.", buckets=(1, 2, 4, 8, 16, 32, 64)
)
INFERENCE_SECONDS = Histogram(
    "catdog_inference_seconds",
    "One call of the model.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
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
