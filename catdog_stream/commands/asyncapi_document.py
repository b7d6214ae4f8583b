"""AsyncAPI 3 document of one configuration: servers, topics, messages, and who writes what."""

from collections.abc import Mapping, Sequence
from typing import Any

import faust
import msgspec

from catdog_stream import __version__
from catdog_stream.messages.events import event_headers
from catdog_stream.messages.schemas import (
    Schema,
    components,
    event_header_schema,
    label_headers,
    rejection_headers,
)
from catdog_stream.models.stacks.locate import stack_directory
from catdog_stream.models.stacks.manifest import load_manifest
from catdog_stream.records import ImageLabel, ImageRequest
from catdog_stream.settings import Settings
from catdog_stream.worker.roles import Role, role_of

__all__ = ["asyncapi_document"]

_JSON = "application/json"
_BYTES = "application/octet-stream"
_EVENT_JSON = "application/cloudevents+json"
_KAFKA_BINDING = "0.5.0"
_SASL_SCHEMES = {
    "PLAIN": "plain",
    "SCRAM-SHA-256": "scramSha256",
    "SCRAM-SHA-512": "scramSha512",
}


def asyncapi_document(settings: Settings) -> Mapping[str, Any]:
    """Return the document.

    Raises:
        SettingError: a voter has no name.
        StackError: the stack cannot be read.
    """
    role, names = role_of(settings), settings.cluster.names
    schemas = {
        **components(_struct("Request", ImageRequest), _struct("Label", ImageLabel)),
        "LabelHeaders": _label_headers(settings, role),
        "RejectionHeaders": rejection_headers(),
        "EventHeaders": event_header_schema([name for name, _ in event_headers("", "", "", "")]),
    }
    if (settings.data_field, settings.url_field) != ("data", "url"):
        schemas["Request"] = _json_request(settings)
    messages = _messages(settings)
    topics = {"requests": names.requests, "labels": names.labels, "rejections": names.rejected}
    if role.votes:
        topics["votes"] = names.votes
    used = {name: messages[name] for topic in topics for name in messages_of(topic, settings)}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": names.group,
            "version": __version__,
            "description": "Pictures in, labels out, through a stream of Kafka.",
            "license": {"name": "Apache-2.0"},
        },
        "servers": _servers(settings),
        "channels": {
            topic: {
                "address": name,
                "messages": {each: _ref("messages", each) for each in messages_of(topic, settings)},
                "bindings": {"kafka": _topic_binding(settings, name)},
            }
            for topic, name in topics.items()
        },
        "operations": _operations(role, settings),
        "components": {
            "schemas": {name: schemas[name] for name in schemas if f"/{name}'" in repr(used)},
            "messages": used,
            **_security(settings),
        },
    }


def messages_of(topic: str, settings: Settings) -> Sequence[str]:
    """Return the names of the messages in a topic."""
    match topic:
        case "requests":
            formats = {
                "json": ["jsonRequest"],
                "raw": ["rawRequest"],
                "cloudevents": ["structuredEvent", "binaryEvent"],
                "auto": ["jsonRequest", "rawRequest", "structuredEvent", "binaryEvent"],
            }
            return formats.get(settings.request_format, ["ownRequest"])
        case "labels":
            return ["label"]
        case "rejections":
            return ["rejection"]
        case _:
            return ["vote", "deadlineMarker"]


def _messages(settings: Settings) -> Mapping[str, Schema]:
    """Return all messages that any configuration has."""
    url = {"type": "object", "properties": {"url": {"type": "string"}}}
    event: Schema = {
        "type": "object",
        "properties": {
            "specversion": {"type": "string"},
            "subject": {"type": "string", "description": "The url."},
            "data_base64": {"type": "string", "contentEncoding": "base64"},
            **({} if settings.fetch is None else {"dataref": {"type": "string"}}),
            "data": _ref("schemas", "Request"),
        },
        "required": ["specversion"],
    }
    own = f"A record in the format {settings.request_format}."
    return {
        "jsonRequest": _message("A picture in JSON.", _JSON, _ref("schemas", "Request")),
        "rawRequest": _message("A picture file.", _BYTES, headers=url),
        "structuredEvent": _message("A CloudEvent in the structured mode.", _EVENT_JSON, event),
        "binaryEvent": _message(
            "A CloudEvent in the binary mode: a picture file, or JSON with such a content-type.",
            _BYTES,
            headers=_ref("schemas", "EventHeaders"),
        ),
        "ownRequest": _message(own, _BYTES),
        "label": _label(settings),
        "rejection": _message(
            "The request's own value and headers, without the picture if it is too large.",
            _BYTES,
            headers=_ref("schemas", "RejectionHeaders"),
        ),
        "vote": _message("A voter's answer.", _JSON, _ref("schemas", "VoteBody")),
        "deadlineMarker": _message(
            "Requests whose deadline has passed.", _JSON, _ref("schemas", "DeadlineMarker")
        ),
    }


def _label(settings: Settings) -> Schema:
    headers = _ref("schemas", "LabelHeaders")
    about = f"A verdict. Its text is {settings.label_text!r}, filled in."
    match settings.label_format:
        case "catdog":
            return _message(about, _JSON, _ref("schemas", "Label"), headers)
        case "json":
            return _message(about, _JSON, _ref("schemas", "JsonLabel"), headers)
        case "cloudevents":
            both = {"allOf": [headers, _ref("schemas", "EventHeaders")]}
            return _message(about, _JSON, _ref("schemas", "JsonLabel"), both)
    return _message(f"A verdict in the format {settings.label_format}.", _BYTES, headers=headers)


def _message(
    summary: str,
    content_type: str,
    payload: Schema | None = None,
    headers: Schema | None = None,
) -> Schema:
    message: Schema = {"summary": summary, "contentType": content_type}
    if payload is not None:
        message["payload"] = payload
    if headers is not None:
        message["headers"] = headers
    return message


def _ref(kind: str, name: str) -> Schema:
    return {"$ref": f"#/components/{kind}/{name}"}


def _struct(name: str, record: type[faust.Record]) -> type[msgspec.Struct]:
    """Return a type with the fields of a Faust record, for its schema."""
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for attribute, kind in record.__annotations__.items():
        field = getattr(record, attribute)
        fields.append((attribute, kind) if field.required else (attribute, kind, field.default))
    return msgspec.defstruct(name, fields)


def _json_request(settings: Settings) -> Schema:
    """Return the schema of a request in JSON whose fields the settings name."""
    schema: Schema = {"type": "object"}
    picture = {"type": "string", "contentEncoding": "base64"}
    # A reference in the url may take its place.
    _put(schema, settings.data_field.split("."), picture, required=settings.fetch is None)
    _put(schema, settings.url_field.split("."), {"type": ["string", "null"]}, required=False)
    return schema


def _put(schema: Schema, path: Sequence[str], field: Schema, *, required: bool = True) -> None:
    for name in path[:-1]:
        if required:
            schema.setdefault("required", []).append(name)
        schema = schema.setdefault("properties", {}).setdefault(name, {"type": "object"})
    if required:
        schema.setdefault("required", []).append(path[-1])
    schema.setdefault("properties", {})[path[-1]] = field


def _label_headers(settings: Settings, role: Role) -> Schema:
    classes = None
    if not role.is_jury and settings.classifier is None:
        classes = load_manifest(stack_directory(settings.stack)).classes
    votes = role.is_jury or bool(settings.voting)
    return label_headers(classes, settings.score_limits, votes=votes)


def _operations(role: Role, settings: Settings) -> Schema:
    """Return what this application reads and writes."""
    read = {"votes": "votes"} if role.is_jury else {"requests": "requests"}
    written = ("votes",) if role.voter is not None else ("labels", "rejections")
    group = {"groupId": {"type": "string", "enum": [role.group]}, "bindingVersion": _KAFKA_BINDING}
    return {
        **{
            f"receive_{topic}": _operation("receive", topic, settings, {"kafka": group})
            for topic in read
        },
        **{f"send_{topic}": _operation("send", topic, settings, {}) for topic in written},
    }


def _operation(action: str, topic: str, settings: Settings, bindings: Schema) -> Schema:
    channel = f"#/channels/{topic}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [
            {"$ref": f"{channel}/messages/{name}"} for name in messages_of(topic, settings)
        ],
        **({"bindings": bindings} if bindings else {}),
    }


def _topic_binding(settings: Settings, name: str) -> Schema:
    binding: Schema = {"topic": name, "bindingVersion": _KAFKA_BINDING}
    if settings.create_topics:
        binding |= {"partitions": settings.partitions, "replicas": settings.replicas}
    return binding


def _servers(settings: Settings) -> Schema:
    security = settings.security
    protocol = "kafka-secure" if security.protocol.endswith("ssl") else "kafka"
    server: Schema = {"protocol": protocol}
    if "securitySchemes" in _security(settings):
        server["security"] = [_ref("securitySchemes", "login")]
    return {
        f"broker{number}": {"host": address, **server}
        for number, address in enumerate(settings.cluster.addresses, 1)
    }


def _security(settings: Settings) -> Schema:
    """Return the component ``securitySchemes`` if clients log in: without names and secrets."""
    security = settings.security
    scheme: Schema
    if security.oauth is not None and security.oauth.url:
        scopes = dict.fromkeys(security.oauth.scope.split(), "")
        flow = {"tokenUrl": security.oauth.url, "availableScopes": scopes}
        scheme = {"type": "oauth2", "flows": {"clientCredentials": flow}}
    elif security.oauth is not None:
        scheme = {"type": "http", "scheme": "bearer"}
    elif security.mechanism:
        scheme = {"type": _SASL_SCHEMES[security.mechanism]}
    elif security.cert_file is not None:
        scheme = {"type": "X509"}
    else:
        return {}
    return {"securitySchemes": {"login": scheme}}
