"""Names and limits of the topics, and their creation on a Kafka that lacks them."""

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
    "changelog_of",
    "group_of",
    "topic_configs",
]

REQUESTS = "catdogimage"
LABELS = "catdoglabel"
REJECTED = "catdogimage-rejected"
#: Votes on requests; created if there are voters or a jury.
VOTES = "catdogvote"
#: Rejected requests that ``replay`` has replayed; created at its first use.
REPLAYED = "catdogimage-replayed"

#: Topics that always exist.
TOPICS = (REQUESTS, LABELS, REJECTED)

#: Table to the topic for each of whose partitions it has a shard.
COUNTED = {"label_counts": REQUESTS, "foreign_counts": LABELS}


#: The application's id, which is also the id of its consumer group.
GROUP = "catdog_stream"


def changelog_of(group: str, table: str) -> str:
    """Return the changelog topic of a group's table."""
    return f"{group}-{table}-changelog"


def group_of(voter: str | None) -> str:
    """Return the consumer group of a voter; without a name, that of all other workers."""
    return GROUP if voter is None else f"{GROUP}-voter-{voter}"


#: Group whose committed offsets hold the corrections of a recount. It has no members.
RECOUNT_GROUP = f"{GROUP}-recount"


DAY_MS = 24 * 60 * 60 * 1000


def topic_configs(cluster: ClusterConfig) -> Mapping[str, Mapping[str, int]]:
    """Return, for each topic, the configuration with which this application creates it."""
    return {
        # A vote contains its request's key and headers as base64.
        VOTES: _config(2 * cluster.max_answer_bytes, retention_days=7),
        REQUESTS: _config(cluster.max_request_bytes, retention_days=7),
        LABELS: _config(cluster.max_answer_bytes, retention_days=7),
        REJECTED: _config(cluster.max_answer_bytes, retention_days=28),
    }


def _config(max_bytes: int, *, retention_days: int) -> Mapping[str, int]:
    return {"max.message.bytes": max_bytes, "retention.ms": retention_days * DAY_MS}


@dataclass(frozen=True, slots=True)
class Topics:
    """Topics of raw bytes: a value that Faust cannot decode would end its agent silently."""

    requests: faust.TopicT
    labels: faust.TopicT
    rejected: faust.TopicT
    votes: faust.TopicT

    @classmethod
    def declare(cls, app: faust.App, settings: Settings) -> "Topics":
        """Declare the topics to Faust."""
        configs = topic_configs(settings.cluster)

        def topic(name: str) -> faust.TopicT:
            return app.topic(
                name,
                key_type=bytes,
                value_type=bytes,
                key_serializer="raw",
                value_serializer="raw",
                allow_empty=True,
                internal=True,  # Faust creates the topic if it is missing
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
