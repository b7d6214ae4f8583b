"""Limits of the topics, and their declaration to Faust."""

from collections.abc import Mapping
from dataclasses import dataclass

import faust

from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.settings import Settings

__all__ = ["Topics", "topic_configs"]

DAY_MS = 24 * 60 * 60 * 1000


def topic_configs(cluster: ClusterConfig) -> Mapping[str, Mapping[str, int]]:
    """Return, for each topic, the configuration with which this application creates it."""
    names = cluster.names
    return {
        # A vote contains its request's key and headers as base64.
        names.votes: _config(2 * cluster.max_answer_bytes, retention_days=7),
        names.requests: _config(cluster.max_request_bytes, retention_days=7),
        names.labels: _config(cluster.max_answer_bytes, retention_days=7),
        names.rejected: _config(cluster.max_answer_bytes, retention_days=28),
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
        names, configs = settings.cluster.names, topic_configs(settings.cluster)

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
            requests=topic(names.requests),
            labels=topic(names.labels),
            rejected=topic(names.rejected),
            votes=topic(names.votes),
        )
