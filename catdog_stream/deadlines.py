"""Timeouts and intervals for Kafka, for the end of a process, and for liveness checks.

All in seconds. They depend on each other: ``tests/test_deadlines.py`` has the inequalities.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["ANSWER", "request_seconds", "worker_settings"]

#: A worker that sends no heartbeat for this long loses its partitions.
SESSION = 10.0
HEARTBEAT_INTERVAL = 1.0
#: For all members of the group to join again when partitions move.
REBALANCE = 15.0

#: To open a connection: TCP, TLS, SASL. A frozen broker may still have an open port.
CONNECT = 5.0
#: The part of a connection for the token of SASL.
TOKEN = 2.5
#: For a request to the token endpoint, which continues for the next connection.
TOKEN_REQUEST = 10.0
#: For requests that a broker answers immediately.
METADATA = 5.0
HEARTBEAT = 5.0
#: A broker waits 5 s for its replicas when an offset is committed (``offsets.commit.timeout.ms``).
COMMIT = 8.0
#: Joining waits for the other members.
JOIN = 20.0
#: For the replicas of a record. Kafka counts a dead broker among them until its session expires,
#: 9 s by default. With a shorter timeout, every record of that time is written twice.
COPIES = 12.0
#: For the broker's answer to a record, which it sends after ``COPIES`` at the latest.
PRODUCE = 15.0
#: Fetched records may be large, and the network slow. Nothing else waits for them: partitions with
#: a new leader are fetched from the new leader.
FETCH = 30.0
#: For the committed offsets while the coordinator moves.
COMMITTED = 15.0
#: To compare the committed offsets with the logs when partitions are assigned: together with
#: ``COMMITTED`` within one step of a recovery.
HISTORY = 6.0
#: To read the snapshots of large counts at that time. A recovery that takes longer starts again.
SNAPSHOTS = 6.0
#: For each step of a recovery: the committed offsets, the snapshots, the logs, and a commit.
RECOVERY_STEP = 36.0
#: How long a log may end before the committed offset until the log counts as lost.
SHORT_LOG = 2.0
#: For all other requests, such as creating a topic.
OTHER = 10.0
#: For each request of a command, or of a worker that checks the cluster.
CLIENT_REQUEST = 10.0
#: For one address, to find out why no address can be used.
WHY_UNREACHABLE = 3.0
#: For a new or extended topic to appear in the metadata; Kafka takes a fraction of a second.
TOPIC_KNOWN = 10.0
#: The same for a member that joins: the member must be back within its session and within a
#: rebalance, less the time to revoke partitions.
TOPIC_KNOWN_TO_MEMBER = 5.0
#: Without a record although the topic has more, until a command that reads the topic gives up.
SILENT_TOPIC = 30.0
#: For a worker to load another stack beside the one that serves. With TensorFlow on a GPU, most of
#: it is the search for the batch size.
STACK_LOADED = 120.0
#: For a stack that is being loaded when a newer deployment arrives: memory holds at most two.
SUPERSEDED = 10.0
#: For running workers to report that they have received a deployment, or that they follow none.
RECEIVED = 15.0
#: For running workers to report the result of a deployment.
ROLLED_OUT = 150.0
#: For running workers to read the corrections of a recount and to commit them.
RECOUNTED = 40.0

#: Interval of metadata refreshes, which find new leaders and added partitions.
LOOK_AT_CLUSTER = 10.0
#: How long a result of the cluster check for ``/readyz`` is valid.
LOOK_AGAIN = 2.0
#: For such a check, and for the watchdog's check of the unread records.
LOOK = 3.0
#: For a command's request, or without any answer, until each broker is probed. A consumer's fetch
#: takes up to 2 s if there are no records.
SUSPICIOUS = 3.0
#: Between two requests for the lag of the group.
LAG_INTERVAL = 2.0
#: A lag older than this is unknown.
LAG_HOLDS = 10.0
#: Until a check asks the next address as well: the first may belong to a frozen broker.
NEXT_ADDRESS = 0.3
#: Between two tries to use a cluster that cannot be used, or to recover a table.
TRY_AGAIN = 0.5
#: After a response of the group's coordinator, a member may assume for this long that its
#: partitions are still assigned to it.
CONFIRMED = 5.0
#: How long an answer may wait to be published, through an outage. Then the worker ends.
ANSWER = 1200.0
#: A worker that receives no response for this long is not ready.
SILENCE = 8.0
#: A worker that has unfinished work, and finishes none of it for this long, counts as dead.
STALL = 60.0
#: For another worker's counts when a page is requested.
PEER = 3.0

#: For requests in flight when partitions are revoked or the worker stops.
DRAIN = 5.0
#: For a commit at that time.
LAST_COMMIT = 2.0
#: For the consumer's connections to close after it has left the group. A connection whose close
#: the broker never confirms stays open until the process ends.
CLOSE = 2.0
#: From the signal to the end of a worker, whatever hangs. Requests without an answer by then are
#: released: they were never acknowledged.
STOP = 9.0
#: The part of ``STOP`` for tasks that still run after every service has stopped.
LAST_TASKS = 1.0
#: For the last spans to reach their collector.
LAST_SPANS = 0.5
#: For a worker that ``up`` has started: until it is ready, and from the signal to its end.
UP_READY = 90.0
UP_STOP = 15.0
#: The local Kafka keeps running this long for workers that are stopped at the same moment, as a
#: process manager does. Honcho kills the remaining processes after 5 s.
LEAVE = 3.0

_BY_KEY: Mapping[int, float] = {
    0: PRODUCE,
    1: FETCH,
    3: METADATA,
    8: COMMIT,
    9: COMMIT,  # committed offsets
    10: METADATA,  # find the group's coordinator
    11: JOIN,
    12: HEARTBEAT,
    13: HEARTBEAT,  # leave the group
    14: JOIN,  # sync: the second half of joining
    17: CONNECT,  # SASL
    18: CONNECT,  # API versions
    36: CONNECT,  # SASL
}


def request_seconds(api_key: int) -> float:
    """Return the timeout of a request with this key.

    Keys: https://kafka.apache.org/protocol#protocol_api_keys.
    """
    return _BY_KEY.get(api_key, OTHER)


def worker_settings() -> Mapping[str, Any]:
    """Return the settings of Faust that follow from these timeouts."""
    return {
        "broker_session_timeout": SESSION,
        "broker_heartbeat_interval": HEARTBEAT_INTERVAL,
        "broker_rebalance_timeout": REBALANCE,
        # Faust's limit for a step of a recovery; patches.request_deadlines sets those of requests.
        "broker_request_timeout": RECOVERY_STEP,
        "producer_request_timeout": ANSWER,
        "consumer_metadata_max_age_ms": int(LOOK_AT_CLUSTER * 1000),
        "producer_metadata_max_age_ms": int(LOOK_AT_CLUSTER * 1000),
    }
