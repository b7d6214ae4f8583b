"""Tests of ``asyncapi``: its documents are valid, and real records fit the schemas in them."""

import json
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from catdog_stream.commands.asyncapi import asyncapi
from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.messages.labels import label_format_named, verdict_label
from catdog_stream.messages.votes import DeadlineMarker, Vote
from catdog_stream.messages.wire import Headers, Incoming, Source, rejection
from catdog_stream.models.verdict import Verdict
from catdog_stream.settings import Settings

#: Package at npm with the official schemas, and the schema in it.
SPECS, SCHEMA = "@asyncapi/specs@6.11.1", "package/schemas/3.0.0.json"
SOURCE = Source("catdogimage", 3, 42)
VERDICT = Verdict({"cat": 0.999, "dog": 0.001}, "inception_v3 1", 0.7)
CONFIGURATIONS: tuple[dict[str, str], ...] = (
    {},
    {"CATDOG_APP": "birds", "CATDOG_CREATE_TOPICS": "off", "CATDOG_BROKER": "a:9092;b"},
    {"CATDOG_DATA_FIELD": "payload.image", "CATDOG_URL_FIELD": "payload.url"},
    {"CATDOG_REQUEST_FORMAT": "raw", "CATDOG_LABEL_FORMAT": "json"},
    {"CATDOG_REQUEST_FORMAT": "cloudevents", "CATDOG_LABEL_FORMAT": "cloudevents"},
    {"CATDOG_REQUEST_FORMAT": "auto", "CATDOG_LABEL_TEXT": "{verdict}"},
    {"CATDOG_REQUEST_FORMAT": "my.formats:Mine", "CATDOG_LABEL_FORMAT": "my.formats:Mine"},
    {"CATDOG_HEADER_CLASSES": "1", "CATDOG_CLASSIFIER": "my.models:Mine"},
    {"CATDOG_ROLE": "voter"},
    {"CATDOG_ROLE": "jury", "CATDOG_VOTERS": "lite,large"},
    {
        "CATDOG_SECURITY": "sasl_ssl",
        "CATDOG_SASL_MECHANISM": "SCRAM-SHA-512",
        "CATDOG_SASL_USERNAME": "alice",
        "CATDOG_SASL_PASSWORD": "horse-battery",
    },
    {
        "CATDOG_SECURITY": "sasl_ssl",
        "CATDOG_SASL_MECHANISM": "OAUTHBEARER",
        "CATDOG_OAUTH_TOKEN_URL": "https://provider.example/token",
        "CATDOG_OAUTH_CLIENT_ID": "catdog",
        "CATDOG_OAUTH_CLIENT_SECRET": "horse-battery",
        "CATDOG_OAUTH_SCOPE": "kafka topics",
    },
)


def document(environment: Mapping[str, str]) -> Any:
    result = CliRunner().invoke(asyncapi, env=environment)
    assert result.exit_code == 0, result.output
    assert "horse-battery" not in result.output
    return json.loads(result.output)


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> jsonschema.Draft7Validator:
    if shutil.which("npm") is None:
        pytest.skip("the official schema of AsyncAPI is a package of npm, which is not installed")
    folder = tmp_path_factory.mktemp("specs")
    packed = subprocess.run(
        ["npm", "pack", SPECS], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    if packed.returncode != 0:
        pytest.skip(f"the official schema of AsyncAPI cannot be had from npm: {SPECS}")
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as files:
        schema = files.extractfile(SCHEMA)
        assert schema is not None
        return jsonschema.Draft7Validator(json.load(schema))


@pytest.mark.slow
@pytest.mark.parametrize("environment", CONFIGURATIONS)
def test_the_document_of_each_configuration_is_valid(
    official: jsonschema.Draft7Validator, environment: dict[str, str]
) -> None:
    found = document(environment)
    official.validate(found)
    next(iter(found["operations"].values())).pop("action")
    with pytest.raises(jsonschema.ValidationError):
        official.validate(found)


def check(found: Any, name: str, value: bytes | None, headers: Headers) -> None:
    """Raise ``ValidationError`` if a record does not have the schemas of the message ``name``."""
    message = found["components"]["messages"][name]
    whole = {"components": found["components"]}
    if "payload" in message:
        jsonschema.Draft7Validator({**whole, "allOf": [message["payload"]]}).validate(
            json.loads(value or b"null")
        )
    if "headers" in message:
        jsonschema.Draft7Validator({**whole, "allOf": [message["headers"]]}).validate(
            {name: value.decode() for name, value in headers}
        )


@pytest.mark.parametrize("environment", [*CONFIGURATIONS[:6], {"CATDOG_HEADER_CLASSES": "1"}])
def test_records_have_the_schemas(environment: dict[str, str]) -> None:
    settings, found = Settings.from_environment(environment), document(environment)
    for number, url in enumerate(("aHR0cA", None)):
        value, headers = settings.request_parser.format.write(b"picture", url)
        kinds = {"raw": "rawRequest", "cloudevents": "binaryEvent"}
        check(found, kinds.get(settings.request_format, "jsonRequest"), value, headers)
        label = verdict_label(
            Incoming(SOURCE, None, None, (), None if number else 1),
            text=settings.score_limits.text(VERDICT),
            url=url,
            verdict=VERDICT.label,
            scores=VERDICT.scores,
            stack=VERDICT.stack,
            familiarity=VERDICT.familiarity,
            limits=settings.score_limits,
            form=label_format_named(settings.label_format),
        )
        check(found, "label", label.value, label.headers)
        schema = found["components"]["schemas"]["LabelHeaders"]
        assert set(schema["required"]) <= dict(label.headers).keys()
    error = RejectedRequest(Reason.BAD_URL, "The field url is not text.")
    answer = rejection(Incoming(SOURCE, None, None, (), None), error, max_bytes=1000)
    check(found, "rejection", answer.value, answer.headers)
    with pytest.raises(jsonschema.ValidationError):
        check(found, "label", b'{"label": 1}', ())


def test_a_reference_may_take_the_place_of_the_picture() -> None:
    fields = {"CATDOG_DATA_FIELD": "image", "CATDOG_URL_FIELD": "from"}
    value = b'{"from": "https://pictures.example/cat.png"}'
    with pytest.raises(jsonschema.ValidationError):
        check(document(fields), "jsonRequest", value, ())
    allowed = {**fields, "CATDOG_FETCH": "https://pictures.example"}
    check(document(allowed), "jsonRequest", value, ())


def test_votes_have_the_schemas() -> None:
    found = document({"CATDOG_ROLE": "jury", "CATDOG_VOTERS": "lite,large"})
    headers: Headers = (("traceparent", b"00"),)
    for answer in (VERDICT, RejectedRequest(Reason.TIMEOUT, "The model did not answer.")):
        vote = Vote("lite", SOURCE, answer, key=b"k", url="u", fields={"a": 1}, headers=headers)
        check(found, "vote", vote.dump(), ())
    check(found, "deadlineMarker", DeadlineMarker("catdogimage", 3, (17, 18)).dump(), ())
    with pytest.raises(jsonschema.ValidationError):
        check(found, "vote", b'{"voter": "A B", "source": "a/1/2"}', ())


def test_only_the_classes_of_the_stack_are_verdicts() -> None:
    schemas = document({})["components"]["schemas"]
    assert schemas["LabelHeaders"]["properties"]["verdict"]["enum"] == ["cat", "dog", "unknown"]
    assert {"cat", "dog"} <= set(schemas["LabelHeaders"]["required"])
    assert not schemas.keys() & {"VoteBody", "JsonLabel", "EventHeaders"}
