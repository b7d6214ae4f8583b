"""Tests of settings: valid values, invalid values, and that the message names the variable."""

import base64
import dataclasses
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.errors import SettingError
from catdog_stream.kafka.names import Names
from catdog_stream.messages.wire import base64_length
from catdog_stream.settings import Settings
from catdog_stream.settings.allowed_hosts import AllowedHost
from catdog_stream.settings.allowed_references import AllowedReferences


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    settings = Settings.from_environment({})
    assert settings.broker == "kafka://127.0.0.1:9092"
    assert settings.stack is None
    assert settings.engine == "auto"
    assert settings.threads == (os.cpu_count() or 1)
    assert settings.batch is None
    assert settings.batch_wait == 0.005
    assert settings.max_image_bytes == 4194304
    assert settings.partitions == 8
    assert (settings.header_classes, settings.header_scores, settings.metric_labels) == (16, 5, 50)
    assert settings.web_fetch == "off"


def test_every_variable_is_read() -> None:
    environment = {
        "CATDOG_BROKER": "kafka://a:9092;b:9093",
        "CATDOG_APP": "birds",
        "CATDOG_REQUEST_TOPIC": "pictures",
        "CATDOG_LABEL_TOPIC": "labels",
        "CATDOG_REJECTED_TOPIC": "rejected",
        "CATDOG_VOTE_TOPIC": "votes",
        "CATDOG_REPLAYED_TOPIC": "replayed",
        "CATDOG_STACK_TOPIC": "stacks",
        "CATDOG_CREATE_TOPICS": "off",
        "CATDOG_REQUEST_FORMAT": "raw",
        "CATDOG_LABEL_FORMAT": "json",
        "CATDOG_LABEL_TEXT": "{verdict}",
        "CATDOG_DATA_FIELD": "payload.image",
        "CATDOG_URL_FIELD": "from",
        "CATDOG_FETCH": "s3://cats",
        "CATDOG_STACK": "some/stack",
        "CATDOG_VOTE_RULE": "majority",
        "CATDOG_CANARY": "pets/3",
        "CATDOG_CANARY_SHARE": "0.05",
        "CATDOG_SHADOW": "pets/4",
        "CATDOG_SHADOW_SHARE": "0.5",
        "CATDOG_SHADOW_FOLDER": "/",
        "CATDOG_ENGINE": "litert",
        "CATDOG_ONNX_PROVIDER": "cuda",
        "CATDOG_THREADS": "3",
        "CATDOG_BATCH": "16",
        "CATDOG_BATCH_WAIT": "2.5",
        "CATDOG_MAX_IMAGE_BYTES": "1000",
        "CATDOG_MAX_IMAGE_PIXELS": "2000",
        "CATDOG_HEADER_CLASSES": "20",
        "CATDOG_HEADER_SCORES": "3",
        "CATDOG_METRIC_LABELS": "100",
        "CATDOG_PARTITIONS": "4",
        "CATDOG_REPLICAS": "2",
        "CATDOG_WEB_HOSTS": "catdog.example.org, [fd00::1],",
        "CATDOG_WEB_FETCH": "http",
        "CATDOG_WEB_FETCH_ALLOW": "10.1.0.0/16, pictures:8080,",
        "CATDOG_LOG_FORMAT": "json",
        "CATDOG_TRACES": "http://collector:4318/",
        "CATDOG_WEB_SEND": "off",
        "CATDOG_TURNED_COPIES": "on",
        "CATDOG_WEB_SEND_TOKEN": "sending-secret",
        "CATDOG_WEB_READ_TOKEN": "reading-secret",
        "CATDOG_WEB_RATE": "2.5",
    }
    assert Settings.from_environment(environment) == Settings(
        names=Names("birds", "pictures", "labels", "rejected", "votes", "replayed", "stacks"),
        create_topics=False,
        request_format="raw",
        label_format="json",
        label_text="{verdict}",
        data_field="payload.image",
        url_field="from",
        fetch=AllowedReferences.parse("s3://cats"),
        broker="kafka://a:9092;kafka://b:9093",
        stack=Path("some/stack"),
        vote_rule="majority",
        canary="pets/3",
        canary_share=0.05,
        shadow="pets/4",
        shadow_share=0.5,
        shadow_folder=Path("/"),
        engine="litert",
        onnx_provider="cuda",
        threads=3,
        batch=16,
        turned_copies=True,
        batch_wait=0.0025,
        max_image_bytes=1000,
        max_image_pixels=2000,
        header_classes=20,
        header_scores=3,
        metric_labels=100,
        partitions=4,
        replicas=2,
        web_hosts=("catdog.example.org", "[fd00::1]"),
        web_fetch="http",
        web_fetch_allow=(AllowedHost.parse("10.1.0.0/16"), AllowedHost("pictures", 8080)),
        log_format="json",
        traces="http://collector:4318",
        web_send=False,
        web_send_token="sending-secret",
        web_read_token="reading-secret",
        web_rate=2.5,
    )


def test_several_stacks_vote() -> None:
    settings = Settings.from_environment({"CATDOG_STACK": "a:b/c"})
    assert settings.voting == (Path("a"), Path("b/c"))
    assert settings.stack == Path("a")
    assert Settings.from_environment({"CATDOG_STACK": "a"}).voting == ()


@pytest.mark.parametrize(
    ("data", "url"), [("url", ""), ("", "data.name"), ("a.b", "a.b"), ("a.b", "a")]
)
def test_picture_and_url_are_two_fields(data: str, url: str) -> None:
    with pytest.raises(SettingError, match="CATDOG_DATA_FIELD and CATDOG_URL_FIELD name one field"):
        Settings.from_environment({"CATDOG_DATA_FIELD": data, "CATDOG_URL_FIELD": url})
    Settings.from_environment({"CATDOG_DATA_FIELD": "a.b", "CATDOG_URL_FIELD": "a.bc"})


def test_an_application_has_names_of_its_own_and_single_ones_are_replaced() -> None:
    names = Settings.from_environment(
        {"CATDOG_APP": "birds", "CATDOG_REQUEST_TOPIC": "catdogimage"}
    ).cluster.names
    assert (names.group, names.topics) == (
        "birds",
        ("catdogimage", "birds-labels", "birds-rejected"),
    )
    with pytest.raises(SettingError, match="The topic x has two tasks"):
        Settings.from_environment({"CATDOG_LABEL_TOPIC": "x", "CATDOG_REQUEST_TOPIC": "x"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CATDOG_APP", "1bird"),
        ("CATDOG_APP", "a b"),
        ("CATDOG_APP", "birds-jury"),
        ("CATDOG_APP", "birds-voter-a"),
        ("CATDOG_APP", "catdogimage"),
        ("CATDOG_REQUEST_TOPIC", "a/b"),
        ("CATDOG_REQUEST_TOPIC", ".."),
        ("CATDOG_REQUEST_TOPIC", "x" * 250),
        ("CATDOG_CREATE_TOPICS", "no"),
        ("CATDOG_REQUEST_FORMAT", "jpeg"),
        ("CATDOG_LABEL_FORMAT", "avro"),
        ("CATDOG_LABEL_TEXT", "{animal}"),
        ("CATDOG_DATA_FIELD", "a..b"),
    ],
)
def test_a_name_that_kafka_does_not_allow_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"^{name}=.*cannot be used: .*[^.]\\.$"):
        Settings.from_environment({name: value})


def test_a_python_classifier_replaces_a_stack() -> None:
    settings = Settings.from_environment({"CATDOG_CLASSIFIER": "my.models:Mine.make"})
    assert settings.classifier == "my.models:Mine.make"
    with pytest.raises(SettingError, match="CATDOG_CLASSIFIER and CATDOG_STACK exclude each other"):
        Settings.from_environment({"CATDOG_CLASSIFIER": "mine:Mine", "CATDOG_STACK": "a"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CATDOG_CLASSIFIER", "mine.Mine"),
        ("CATDOG_CLASSIFIER", "mine.py:Mine()"),
        ("CATDOG_STACK", ":"),
        ("CATDOG_VOTE_RULE", "mean"),
        ("CATDOG_CANARY_SHARE", "1.1"),
        ("CATDOG_CANARY_SHARE", "10%"),
        ("CATDOG_SHADOW_SHARE", "-0.1"),
        ("CATDOG_SHADOW_FOLDER", "/nowhere/at/all"),
    ],
)
def test_what_several_stacks_cannot_be_told_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"^{name}=.*cannot be used: .*[^.]\\.$"):
        Settings.from_environment({name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CATDOG_FETCH", "cats"),
        ("CATDOG_WEB_FETCH", "yes"),
        ("CATDOG_WEB_FETCH_ALLOW", "10.1.2.3/16"),
        ("CATDOG_WEB_FETCH_ALLOW", "pictures, https://pictures"),
        ("CATDOG_WEB_FETCH_ALLOW", "pictures:0"),
    ],
)
def test_what_may_be_fetched_is_told_without_doubt(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"^{name}=.*cannot be used: .*[^.]\\.$"):
        Settings.from_environment({name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("CATDOG_WEB_SEND", "no"), ("CATDOG_WEB_RATE", "-1"), ("CATDOG_WEB_RATE", "many")],
)
def test_what_sending_over_http_cannot_be_told_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"^{name}=.*cannot be used: .*[^.]\\.$"):
        Settings.from_environment({name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CATDOG_LOG_FORMAT", "xml"),
        ("CATDOG_TRACES", "collector:4318"),
        ("CATDOG_TRACES", "grpc://collector:4317"),
        ("CATDOG_TRACES", "http://"),
        ("CATDOG_TRACES", "http://collector:99999"),
        ("CATDOG_TRACES", "http://collector:4318?token=x"),
        ("CATDOG_TRACES", "http://[::1"),
    ],
)
def test_a_log_or_a_trace_that_nobody_could_read_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"^{name}=.*cannot be used: .*\\.$"):
        Settings.from_environment({name: value})


@pytest.mark.parametrize("name", ["CATDOG_WEB_SEND_TOKEN", "CATDOG_WEB_READ_TOKEN"])
@pytest.mark.parametrize("value", ["secret", "a secret with spaces", "ein Geheimnis-für-uns"])
def test_a_token_that_cannot_be_used_is_refused_and_not_told(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"^{name} cannot be used") as told:
        Settings.from_environment({name: value})
    assert value not in str(told.value)


def test_tokens_are_not_shown() -> None:
    settings = Settings.from_environment(
        {"CATDOG_WEB_SEND_TOKEN": "sending-secret", "CATDOG_WEB_READ_TOKEN": "reading-secret"}
    )
    assert "secret" not in repr(settings)


def test_an_empty_value_means_the_default() -> None:
    assert Settings.from_environment({"CATDOG_THREADS": "", "CATDOG_STACK": "  "}) == (
        Settings.from_environment({})
    )


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().threads = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    "name",
    [
        "CATDOG_THREADS",
        "CATDOG_BATCH",
        "CATDOG_MAX_IMAGE_BYTES",
        "CATDOG_MAX_IMAGE_PIXELS",
        "CATDOG_PARTITIONS",
        "CATDOG_REPLICAS",
    ],
)
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "1e3", "²", "9" * 30, "9" * 5000])
def test_a_number_that_cannot_be_used_is_refused_by_name(name: str, value: str) -> None:
    # 9...9: Kafka's own fields have 32 bits, and a late error would not name the variable.
    with pytest.raises(SettingError, match=f"^{name}=.*cannot be used: .*[^.]\\.$"):
        Settings.from_environment({name: value})


def test_waiting_for_a_batch_can_be_switched_off() -> None:
    assert Settings.from_environment({"CATDOG_BATCH_WAIT": "0"}).batch_wait == 0


@pytest.mark.parametrize("value", ["-1", "1001", "nan", "inf", "soon"])
def test_a_wait_that_cannot_be_used_is_refused_by_name(value: str) -> None:
    with pytest.raises(SettingError, match=r"^CATDOG_BATCH_WAIT=.*cannot be used: .*[^.]\.$"):
        Settings.from_environment({"CATDOG_BATCH_WAIT": value})


@pytest.mark.parametrize(
    "value",
    [
        "kafka://",
        ";",
        "kafka://:9092",
        "localhost:",
        "localhost:kafka",
        "localhost:0",
        "localhost:70000",
        "localhost:9092/topic",
        "http://localhost:9092",
        "confluent://localhost:9092",
        "a:9092;b:x",
        "::1",
        "a b:9092",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_by_name(value: str) -> None:
    with pytest.raises(SettingError, match=r"^CATDOG_BROKER=.*cannot be used: .*"):
        Settings.from_environment({"CATDOG_BROKER": value})


@pytest.mark.parametrize(
    ("value", "broker"),
    [
        ("localhost", "kafka://localhost"),
        ("localhost:19092", "kafka://localhost:19092"),
        ("aiokafka://localhost:19092", "kafka://localhost:19092"),
        (" a:1 ; kafka://b:2 ; ", "kafka://a:1;kafka://b:2"),
        ("[::1]:9092", "kafka://[::1]:9092"),
        ("[::1]", "kafka://[::1]"),
    ],
)
def test_addresses_are_written_in_one_way(value: str, broker: str) -> None:
    assert Settings.from_environment({"CATDOG_BROKER": value}).broker == broker


@pytest.mark.parametrize("value", ["http://catdog.example.org", "catdog:80", "a b", "*"])
def test_a_web_host_that_is_no_name_is_refused_by_name(value: str) -> None:
    with pytest.raises(SettingError, match="CATDOG_WEB_HOSTS"):
        Settings.from_environment({"CATDOG_WEB_HOSTS": value})


def test_an_engine_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(SettingError, match=r"CATDOG_ENGINE.*auto, litert, tensorflow, onnx"):
        Settings.from_environment({"CATDOG_ENGINE": "abacus"})


class TestVoting:
    def test_what_a_jury_needs_is_read(self) -> None:
        settings = Settings.from_environment(
            {
                "CATDOG_ROLE": "jury",
                "CATDOG_VOTERS": " lite, inception_v3 ,",
                "CATDOG_VOTE_DEADLINE": "2.5",
                "CATDOG_VOTE_RULE": "majority",
            }
        )
        assert settings.role == "jury"
        assert settings.voters == ("lite", "inception_v3")
        assert (settings.vote_deadline, settings.vote_rule) == (2.5, "majority")

    def test_a_jury_must_know_whom_it_waits_for(self) -> None:
        with pytest.raises(SettingError, match="CATDOG_ROLE=jury needs CATDOG_VOTERS"):
            Settings.from_environment({"CATDOG_ROLE": "jury"})

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("CATDOG_ROLE", "judge"),
            ("CATDOG_VOTER", "a b"),
            ("CATDOG_VOTER", "x" * 33),
            ("CATDOG_VOTERS", "a,A"),
            ("CATDOG_VOTERS", "a,a"),
            ("CATDOG_VOTERS", ","),
            ("CATDOG_VOTERS", ",".join(f"v{number}" for number in range(17))),
            ("CATDOG_VOTE_DEADLINE", "0"),
            ("CATDOG_VOTE_DEADLINE", "601"),
            ("CATDOG_VOTE_RULE", "mean"),
        ],
    )
    def test_what_cannot_be_used_is_refused_by_name(self, name: str, value: str) -> None:
        with pytest.raises(SettingError, match=f"^{name}=.*cannot be used: "):
            Settings.from_environment({name: value})


@given(st.integers(0, 10_000))
def test_the_length_of_base64_is_known_beforehand(size: int) -> None:
    assert base64_length(size) == len(base64.b64encode(b"x" * size))


def test_each_kafka_limit_has_room_for_the_one_before() -> None:
    settings = Settings(max_image_bytes=1000)
    assert base64_length(1000) < settings.max_request_bytes < settings.max_answer_bytes
