"""Tests that each Kafka error has one true sentence: the user, the refused access, the remedy."""

from pathlib import Path

import pytest
from aiokafka import errors as kafka
from aiokafka.errors import KafkaError

from catdog_stream.errors import BrokerError, Refusal
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.explanations import IDEMPOTENT_WRITE, Access, broker_error, explained
from catdog_stream.kafka.security import Security
from catdog_stream.patches.error_codes import InvalidRecordError
from catdog_stream.settings import Settings

CLUSTER = Settings(
    broker="kafka://kafka:9093", replicas=3, security=Security("sasl_ssl", username="alice")
).cluster


@pytest.mark.parametrize(
    ("error", "access", "sentence", "refusal"),
    [
        (
            kafka.TopicAuthorizationFailedError("catdoglabel"),
            Access.topic("Write", "catdoglabel"),
            "Kafka does not let the user alice write to the topic catdoglabel: "
            "grant Write on the topic catdoglabel.",
            Refusal.ACCESS,
        ),
        (
            kafka.TopicAuthorizationFailedError({"b", "a"}),
            Access.topic("Read", "a", "b", "c"),
            "Kafka does not let the user alice read the topics a and b: "
            "grant Read on the topics a and b.",
            Refusal.ACCESS,
        ),
        (  # a refused read is reported as such, whatever the program was about to do
            kafka.GroupAuthorizationFailedError("catdog_stream"),
            Access.topic("Write", "catdogimage"),
            "Kafka does not let the user alice read the group catdog_stream: "
            "grant Read on the group catdog_stream.",
            Refusal.ACCESS,
        ),
        (
            kafka.GroupAuthorizationFailedError("Unable to get coordinator id for catdog_stream"),
            Access.group("Describe", "catdog_stream"),
            "Kafka does not let the user alice describe the group catdog_stream: "
            "grant Describe on the group catdog_stream.",
            Refusal.ACCESS,
        ),
        (
            kafka.TopicAuthorizationFailedError(),
            Access.topic("Create", "catdogimage"),
            "There is no topic catdogimage, and Kafka does not let the user alice create it: "
            "create it, or grant Create on the topic catdogimage.",
            Refusal.ACCESS,
        ),
        (
            kafka.ClusterAuthorizationFailedError(),
            None,
            "Kafka does not let the user alice write with idempotence to the cluster: "
            "grant IdempotentWrite on the cluster.",
            Refusal.ACCESS,
        ),
        (
            kafka.InvalidReplicationFactorError(),
            Access.topic("Create", "catdogimage"),
            "Kafka cannot create the topic catdogimage with 3 copies: CATDOG_REPLICAS must not be "
            "larger than the number of brokers.",
            Refusal.CLUSTER,
        ),
        (
            kafka.MessageSizeTooLargeError(),
            Access.topic("Write", "catdogimage"),
            "The record is too large for the topic catdogimage: max.message.bytes of the topic "
            "limits it, and CATDOG_MAX_IMAGE_BYTES here.",
            Refusal.TOO_LARGE,
        ),
        (
            InvalidRecordError(),
            Access.topic("Write", "catdogimage"),
            "The record is refused by the topic catdogimage as invalid: where a topic is "
            "compacted, each record needs a key.",
            Refusal.RECORD,
        ),
        (
            TimeoutError(),
            Access.topic("Read", "catdoglabel"),
            "Kafka at kafka://kafka:9093 did not answer in time: "
            "this was to read the topic catdoglabel.",
            Refusal.PASSING,
        ),
        (
            kafka.SaslAuthenticationFailed(),
            None,
            "Kafka at kafka://kafka:9093 refuses the user name or the password: check "
            "CATDOG_SASL_USERNAME and CATDOG_SASL_PASSWORD.",
            Refusal.CLUSTER,
        ),
        (  # an error that the table lacks
            kafka.LogDirNotFound(),
            Access.topic("Write", "catdoglabel"),
            "Kafka refuses to write to the topic catdoglabel: LOG_DIR_NOT_FOUND "
            "(The user-specified log directory is not found in the broker config).",
            Refusal.CLUSTER,
        ),
    ],
)
def test_the_sentence_names_user_resource_and_right(
    error: BaseException, access: Access | None, sentence: str, refusal: Refusal
) -> None:
    told = broker_error(error, CLUSTER, access)
    assert (told.message, told.refusal) == (sentence, refusal)


@pytest.mark.parametrize("kind", list(kafka.kafka_errors.values()))
@pytest.mark.parametrize(
    "access",
    [None, IDEMPOTENT_WRITE, Access.topic("Read", "a"), Access.topic("Read"), Access.group("Read")],
)
def test_every_error_has_a_sentence(kind: type[KafkaError], access: Access | None) -> None:
    sentence = broker_error(kind(), CLUSTER, access).message
    assert sentence.endswith(".")
    assert not {"{", "}", "Error", "None"} & set(sentence.split())
    assert kind.__name__ not in sentence


def test_what_aiokafka_wraps_is_unwrapped() -> None:
    wrapped = KafkaError("Unexpected error during batch delivery")
    wrapped.__cause__ = kafka.TopicAuthorizationFailedError("catdogvote")
    told = broker_error(wrapped, CLUSTER)
    assert "use the topic catdogvote" in told.message


def test_within_a_block_the_innermost_explanation_holds() -> None:
    with (
        pytest.raises(BrokerError, match="read the topic catdoglabel"),
        explained(CLUSTER, Access.topic("Write", "catdogimage")),
        explained(CLUSTER, Access.topic("Read", "catdoglabel")),
    ):
        raise kafka.TopicAuthorizationFailedError


@pytest.mark.parametrize(
    ("security", "user"),
    [
        (Security(), "anonymous users"),
        (Security("ssl", cert_file=Path("/own.pem")), "the owner of the certificate /own.pem"),
    ],
)
def test_the_user_is_named_as_the_settings_know_it(security: Security, user: str) -> None:
    cluster: ClusterConfig = Settings(security=security).cluster
    told = broker_error(kafka.TopicAuthorizationFailedError("catdogimage"), cluster)
    assert f"does not let {user} use the topic catdogimage" in told.message
