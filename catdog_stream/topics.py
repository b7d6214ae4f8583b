"""The names of the topics and how they are declared on a Kafka that lacks them."""

from dataclasses import dataclass

import faust

from catdog_stream.settings import Settings

__all__ = ["LABELS", "REJECTED", "REQUESTS", "Topics"]

REQUESTS = "catdogimage"
LABELS = "catdoglabel"
REJECTED = "catdogimage-rejected"

DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Topics:
    """Raw bytes in and out: a value that Faust cannot decode would end its agent silently."""

    requests: faust.TopicT[bytes]
    labels: faust.TopicT[bytes]
    rejected: faust.TopicT[bytes]

    @classmethod
    def declare(cls, app: faust.App, settings: Settings) -> "Topics":
        """Describe the topics to Faust, which creates those that are missing."""

        def topic(name: str, max_bytes: int, retention_ms: int) -> faust.TopicT[bytes]:
            return app.topic(
                name,
                key_type=bytes,
                value_type=bytes,
                key_serializer="raw",
                value_serializer="raw",
                allow_empty=True,
                internal=True,  # what makes Faust create it
                partitions=settings.partitions,
                replicas=settings.replicas,
                config={"max.message.bytes": max_bytes, "retention.ms": retention_ms},
            )

        return cls(
            requests=topic(REQUESTS, settings.max_request_bytes, 7 * DAY_MS),
            labels=topic(LABELS, settings.max_answer_bytes, 7 * DAY_MS),
            rejected=topic(REJECTED, settings.max_answer_bytes, 28 * DAY_MS),
        )
