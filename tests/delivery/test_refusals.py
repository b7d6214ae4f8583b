"""Tests of errors: their kind decides if the request is rejected or the worker stops."""

import pytest
from aiokafka.errors import (
    CorruptRecordException,
    InvalidTimestampError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnknownError,
    UnknownTopicOrPartitionError,
    for_code,
)
from faust.exceptions import ProducerSendError

from catdog_stream.delivery.refusals import costs_request, explained_refusal
from catdog_stream.errors import BrokerError, Refusal
from catdog_stream.patches import error_codes
from catdog_stream.settings import Settings
from tests.support.names import REJECTED

CLUSTER = Settings().cluster
INVALID_RECORD = 87


def _sent(cause: Exception) -> ProducerSendError:
    """Return the error as Faust raises it."""
    error = ProducerSendError("Error while sending")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        InvalidTimestampError(),
        MessageSizeTooLargeError(),
        RecordListTooLargeError(),
        CorruptRecordException(),
        UnknownError(),
        OverflowError("int too big to convert"),
        AssertionError("Need at least one: key or value"),
        TypeError("Header value"),
    ],
)
def test_what_is_of_the_record_costs_its_request_alone(error: Exception) -> None:
    assert costs_request(explained_refusal(error, CLUSTER, REJECTED))
    assert costs_request(explained_refusal(_sent(error), CLUSTER, REJECTED))


def test_so_does_a_record_that_a_compacted_topic_refuses() -> None:
    error_codes.install()
    refused = explained_refusal(for_code(INVALID_RECORD)(), CLUSTER, REJECTED)
    assert costs_request(refused)
    assert REJECTED in refused.message


@pytest.mark.parametrize(
    "error",
    [
        TopicAuthorizationFailedError(REJECTED),
        UnknownTopicOrPartitionError(),
        KafkaTimeoutError(),
        KafkaConnectionError("gone"),
        NotLeaderForPartitionError(),
        TimeoutError(),
        KafkaError("something else"),
    ],
)
def test_where_no_record_can_be_written_the_sentence_names_the_topic(error: Exception) -> None:
    for raised in (error, _sent(error)):
        refused = explained_refusal(raised, CLUSTER, REJECTED)
        assert not costs_request(refused)
        assert REJECTED in refused.message


def test_a_sentence_that_is_there_stays() -> None:
    error = BrokerError("The topic has too few partitions.", Refusal.CLUSTER)
    assert explained_refusal(error, CLUSTER, REJECTED) is error
