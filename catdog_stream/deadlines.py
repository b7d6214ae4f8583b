"""How long a worker waits for Kafka, and after what time it says that Kafka is silent.

All in seconds. They depend on each other; ``tests/test_deadlines.py`` has the inequalities.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["ANSWER", "request_seconds", "worker_settings"]

#: A worker that the group has not heard of for so long loses its partitions.
SESSION = 10.0
HEARTBEAT_INTERVAL = 1.0
#: For all members of the group to join again when partitions move.
REBALANCE = 15.0

#: For a connection: TCP, TLS, SASL. Kafka's process may be frozen, and its port open.
CONNECT = 5.0
#: For what a broker answers at once if it answers at all.
METADATA = 5.0
HEARTBEAT = 5.0
#: Brokers wait for each other for 5 s when an offset is committed (``offsets.commit.timeout.ms``).
COMMIT = 8.0
#: Joining waits for the other members.
JOIN = 20.0
#: For the copies of a record. A broker that is gone counts among them until its session has
#: expired, 9 s by Kafka's default; who gives up earlier writes everything twice.
COPIES = 12.0
#: For the broker's answer to a record, which it gives after ``COPIES`` at the latest.
PRODUCE = 15.0
#: Records that are read may be large, and the way long. Nothing else waits for them: partitions
#: that have a new leader are read from there.
FETCH = 30.0
#: For the committed offsets, while a coordinator is looked for that moves: half of what Faust gives
#: to each step of a recovery.
COMMITTED = 15.0
#: For all else, such as making a topic.
OTHER = 10.0

#: The cluster is looked at so often: for new leaders, and for partitions that were added.
LOOK_AT_CLUSTER = 10.0
#: An answer may wait so long to be written, through an outage. Then the worker ends.
ANSWER = 1200.0
#: A worker that is not answered for so long is not ready.
SILENCE = 8.0

_BY_KEY: Mapping[int, float] = {
    0: PRODUCE,
    1: FETCH,
    3: METADATA,
    8: COMMIT,
    9: COMMIT,  # of the offsets that were committed
    10: METADATA,  # who coordinates the group
    11: JOIN,
    12: HEARTBEAT,
    13: HEARTBEAT,  # leaving
    14: JOIN,  # the second half of it
    17: CONNECT,  # SASL
    18: CONNECT,  # versions
    36: CONNECT,  # SASL
}


def request_seconds(api_key: int) -> float:
    """For a request of this kind: https://kafka.apache.org/protocol#protocol_api_keys."""
    return _BY_KEY.get(api_key, OTHER)


def worker_settings() -> Mapping[str, Any]:
    """Faust's settings that follow from it."""
    return {
        "broker_session_timeout": SESSION,
        "broker_heartbeat_interval": HEARTBEAT_INTERVAL,
        "broker_rebalance_timeout": REBALANCE,
        # The longest of all; patches.request_deadlines has the shorter ones.
        "broker_request_timeout": max(_BY_KEY.values()),
        "producer_request_timeout": ANSWER,
        "consumer_metadata_max_age_ms": int(LOOK_AT_CLUSTER * 1000),
        "producer_metadata_max_age_ms": int(LOOK_AT_CLUSTER * 1000),
    }
