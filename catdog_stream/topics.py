"""The topics: their names, their limits, and how they are created on a Kafka that lacks them."""

from collections.abc import Mapping
from dataclasses import dataclass

import faust

from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.settings import Settings

__all__ = [
    "COUNTED",
    "GROUP",
    "LABELS",
    "RECOUNT_GROUP",
    "REJECTED",
    "REPLAYED",
    "REQUESTS",
    "TOPICS",
    "VOTES",
    "Topics",
    "group_of",
    "topic_configs",
]

REQUESTS = "catdogimage"
LABELS = "catdoglabel"
REJECTED = "catdogimage-rejected"
#: What voters say of requests; made where there are voters or a jury.
VOTES = "catdogvote"
#: Which rejected requests ``replay`` has put back; made when it is first used.
REPLAYED = "catdogimage-replayed"

#: Those that there always are.
TOPICS = (REQUESTS, LABELS, REJECTED)

#: Table to the topic whose partitions it has a shard for.
COUNTED = {"label_counts": REQUESTS, "foreign_counts": LABELS}


#: The application's id, which is that of its consumer group.
GROUP = "catdog_stream"


def group_of(voter: str | None) -> str:
    """That of the voters of a name; of those that are none, without one."""
    return GROUP if voter is None else f"{GROUP}-voter-{voter}"


#: In its offsets a recount leaves its corrections. It has no members.
RECOUNT_GROUP = f"{GROUP}-recount"


DAY_MS = 24 * 60 * 60 * 1000


def topic_configs(cluster: ClusterConfig) -> Mapping[str, Mapping[str, int]]:
    """Topic name to the configuration that this application creates it with."""
    return {
        # A vote has its request's key and headers as base64 in it.
        VOTES: _config(2 * cluster.max_answer_bytes, retention_days=7),
        REQUESTS: _config(cluster.max_request_bytes, retention_days=7),
        LABELS: _config(cluster.max_answer_bytes, retention_days=7),
        REJECTED: _config(cluster.max_answer_bytes, retention_days=28),
    }


def _config(max_bytes: int, *, retention_days: int) -> Mapping[str, int]:
    return {"max.message.bytes": max_bytes, "retention.ms": retention_days * DAY_MS}


@dataclass(frozen=True, slots=True)
class Topics:
    """Raw bytes in and out: a value that Faust cannot decode would end its agent silently."""

    requests: faust.TopicT
    labels: faust.TopicT
    rejected: faust.TopicT
    votes: faust.TopicT

    @classmethod
    def declare(cls, app: faust.App, settings: Settings) -> "Topics":
        """Describe the topics to Faust."""
        configs = topic_configs(settings.cluster)

        def topic(name: str) -> faust.TopicT:
            return app.topic(
                name,
                key_type=bytes,
                value_type=bytes,
                key_serializer="raw",
                value_serializer="raw",
                allow_empty=True,
                internal=True,  # what makes Faust create it where it is missing
                partitions=settings.partitions,
                replicas=settings.replicas,
                config=configs[name],
            )

        return cls(
            requests=topic(REQUESTS),
            labels=topic(LABELS),
            rejected=topic(REJECTED),
            votes=topic(VOTES),
        )
