"""Patch: errors without a class in aiokafka keep their code and their name.

Fault (aiokafka 0.14): ``for_code`` returns ``UnknownError`` for each code that is missing in its
list, which ends at 79. A record that a compacted topic refuses and a group that is full both become
"an unexpected server error", without the cause.

Repair: the codes that this application can meet have classes, named as Kafka names them.
"""

from aiokafka.errors import BrokerResponseError, kafka_errors

__all__ = ["install"]


class GroupMaxSizeReachedError(BrokerResponseError):  # type: ignore[misc]
    """The group has as many members as the brokers allow."""

    errno = 81
    message = "GROUP_MAX_SIZE_REACHED"


class InvalidRecordError(BrokerResponseError):  # type: ignore[misc]
    """The topic refuses the record."""

    errno = 87
    message = "INVALID_RECORD"


class UnstableOffsetCommitError(BrokerResponseError):  # type: ignore[misc]
    """Offsets are part of an open transaction."""

    errno = 88
    message = "UNSTABLE_OFFSET_COMMIT"
    retriable = True


class ThrottlingQuotaExceededError(BrokerResponseError):  # type: ignore[misc]
    """A quota is used up at present."""

    errno = 89
    message = "THROTTLING_QUOTA_EXCEEDED"
    retriable = True


def install() -> None:
    """Register the classes with ``for_code``."""
    for error in (
        GroupMaxSizeReachedError,
        InvalidRecordError,
        UnstableOffsetCommitError,
        ThrottlingQuotaExceededError,
    ):
        kafka_errors[error.errno] = error
