"""How long is waited for Kafka, and for a process to end; when is said that something is silent.

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
#: For comparing what was committed with what the logs hold, when partitions are taken over:
#: together with ``COMMITTED`` within a step of a recovery.
HISTORY = 6.0
#: For the end of a log that lies before what was committed, until the log counts as lost.
SHORT_LOG = 2.0
#: For all else, such as making a topic.
OTHER = 10.0
#: For each request of a command, or of a worker that looks at the cluster.
CLIENT_REQUEST = 10.0
#: For one address, to learn why none can be used.
WHY_UNREACHABLE = 3.0
#: For a topic that was created, or has grown, to be known; Kafka takes a fraction of one.
TOPIC_KNOWN = 10.0
#: The same for a member that joins, which must be back within its session and within a rebalance,
#: less what handing over takes.
TOPIC_KNOWN_TO_MEMBER = 5.0
#: Without a record, though there must be more, until a command that reads a topic gives up.
SILENT_TOPIC = 30.0
#: For a worker to load another stack beside the one that serves. With TensorFlow on a GPU it looks
#: for its batch size, which takes most of it.
STACK_LOADED = 120.0
#: Once another one is ordered, for the one that is being loaded: two in memory are enough.
SUPERSEDED = 10.0
#: For running workers to say that they have heard an order, or that they follow none.
HEARD = 15.0
#: For them to say what became of it.
SWAPPED = 150.0
#: For running workers to look for the corrections of a recount and to commit them.
RECOUNTED = 40.0

#: The cluster is looked at so often: for new leaders, and for partitions that were added.
LOOK_AT_CLUSTER = 10.0
#: What was learned of the cluster for ``/readyz`` holds so long.
LOOK_AGAIN = 2.0
#: For such a look, and for the watchdog's at what waits to be read.
LOOK = 3.0
#: For a command's request, or without any answer, until each broker is asked whether it answers. A
#: consumer's request for more records takes up to 2 s where there are none.
SUSPICIOUS = 3.0
#: Between two questions for the lag of the group.
LAG_INTERVAL = 2.0
#: A lag that was learned longer ago is unknown.
LAG_HOLDS = 10.0
#: Until a look asks the next address as well: the first may be that of a frozen broker.
NEXT_ADDRESS = 0.3
#: Between two tries to use a cluster that cannot be used, or to recover a table.
TRY_AGAIN = 0.5
#: After an answer of the group's coordinator, a member knows for so long that its partitions are
#: still its own.
CONFIRMED = 5.0
#: An answer may wait so long to be written, through an outage. Then the worker ends.
ANSWER = 1200.0
#: A worker that is not answered for so long is not ready.
SILENCE = 8.0
#: Work that waits so long without any of it getting done: the worker counts as dead.
STALL = 60.0
#: For another worker's counts, when a page is asked for.
PEER = 3.0

#: For answers in work, when partitions are taken away or the worker stops.
DRAIN = 5.0
#: For a commit at such a time.
LAST_COMMIT = 2.0
#: For the connections of the consumer to close, once the group has been left: one whose end the
#: broker never confirms is left to the end of the process.
CLOSE = 2.0
#: From the signal to the end of a worker, whatever hangs. What was not answered by then is handed
#: back: it was never acknowledged.
STOP = 9.0
#: Of those, for tasks that go on after every service has stopped.
LAST_TASKS = 1.0
#: For the last spans to reach their collector.
LAST_SPANS = 0.5
#: For a worker that ``up`` has started: until it is ready, and from the signal to its end.
UP_READY = 90.0
UP_STOP = 15.0
#: The local Kafka stays so long for workers that are being stopped at the same moment, as a process
#: manager does. Honcho kills what is still there after 5 s.
LEAVE = 3.0

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
