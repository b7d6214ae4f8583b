"""Refusals of an answer: some cost the request alone, others stop the worker.

A broker refuses one record for its time, its size or its missing key, and accepts the next one.
Such a refusal must not end a worker, because the same request would then end each later worker. If
no answer can be written at all, because of a missing right or topic, requests stay unanswered.
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

#: Errors without a cause. Another record may be accepted; if not, the rejection is refused, too.
_WITHOUT_CAUSE = (
    CorruptRecordException,
    InvalidRequestError,
    UnknownError,
    UnsupportedForMessageFormatError,
)


def explained_refusal(error: Exception, cluster: ClusterConfig, topic: str) -> BrokerError:
    """Return the error of a send as a sentence that names the topic and the cause, with its kind.

    Args:
        error: error of the producer, or of the encoding of the record.
        cluster: cluster of the send.
        topic: topic of the send.
    """
    cause = error.__cause__ if isinstance(error, ProducerSendError) else error
    if isinstance(cause, BrokerError):
        return cause
    if not isinstance(cause, (KafkaError, OSError)):  # TimeoutError is an OSError
        return BrokerError(
            f"The record cannot be encoded for the topic {topic}: {cause!r}.", Refusal.RECORD
        )
    refused = broker_error(cause, cluster, Access.topic("Write", topic))
    if type(cause) in _WITHOUT_CAUSE:
        refused.refusal = Refusal.RECORD
    return refused


def costs_request(refused: BrokerError) -> bool:
    """Return whether a broker may accept another record in place of the refused one."""
    return refused.refusal in (Refusal.RECORD, Refusal.TOO_LARGE)
