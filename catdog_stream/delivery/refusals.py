"""Refusals of an answer: which ones cost the request alone, and which ones stop the worker.

A broker refuses one record for its time, its size or its missing key, and takes the next one. Such
a refusal must not end a worker, since the same request would end each worker after it. Where no
answer at all can be written, for a missing right or topic, requests are safer unanswered.
"""

from aiokafka.errors import (
    CorruptRecordException,
    InvalidRequestError,
    KafkaError,
    UnknownError,
    UnsupportedForMessageFormatError,
)
from faust.exceptions import ProducerSendError

from catdog_stream.errors import BrokerError, Refusal
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.explanations import Access, broker_error

__all__ = ["costs_request", "explained_refusal"]

#: Errors that name no cause. Another record may be taken; if none is, the rejection is refused too.
_WITHOUT_CAUSE = (
    CorruptRecordException,
    InvalidRequestError,
    UnknownError,
    UnsupportedForMessageFormatError,
)


def explained_refusal(error: Exception, cluster: ClusterConfig, topic: str) -> BrokerError:
    """Return the error of a send as a sentence that names the topic and the cause, with its kind.

    Args:
        error: of the producer, or of what encodes the record.
        cluster: that was written to.
        topic: that was written to.
    """
    cause = error.__cause__ if isinstance(error, ProducerSendError) else error
    if isinstance(cause, BrokerError):
        return cause
    if not isinstance(cause, (KafkaError, OSError)):  # as TimeoutError is
        return BrokerError(
            f"The record cannot be encoded for the topic {topic}: {cause!r}.", Refusal.RECORD
        )
    refused = broker_error(cause, cluster, Access.topic("Write", topic))
    if type(cause) in _WITHOUT_CAUSE:
        refused.refusal = Refusal.RECORD
    return refused


def costs_request(refused: BrokerError) -> bool:
    """Return whether another record in the place of the refused one may be taken."""
    return refused.refusal in (Refusal.RECORD, Refusal.TOO_LARGE)
