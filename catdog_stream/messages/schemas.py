"""JSON Schemas of the records in the topics, made from the types and rules of messages."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from catdog_stream.errors import Reason
from catdog_stream.messages.scores import SCORES, ScoreLimits
from catdog_stream.messages.votes import DeadlineMarker, VoteBody
from catdog_stream.models.classes import header_names

__all__ = ["Schema", "components", "event_header_schema", "label_headers", "rejection_headers"]

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
#: A probability in a header.
_DECIMAL: Schema = {"type": "string", "pattern": r"^(0(\.\d+)?|1(\.0+)?)$"}
_SOURCE: Schema = {"type": "string", "pattern": r"^[\w.-]{1,249}/\d{1,9}/\d{1,18}$"}


class JsonLabel(msgspec.Struct):
    """Value of a label in the formats ``json`` and ``cloudevents``."""

    label: str
    url: str | None
    data: None
    verdict: str
    scores: dict[str, Annotated[float, Meta(ge=0, le=1)]]
    stack: str
    source: str
    ood_score: Annotated[float, Meta(ge=0, le=1)] | None
    requested_at: Annotated[int, Meta(description="Milliseconds since the epoch.")] | None
    answered_at: Annotated[int, Meta(description="Milliseconds since the epoch.")]


def components(*more: type) -> Mapping[str, Schema]:
    """Return the schemas of `JsonLabel`, of votes and of ``more`` types, by their names."""
    types = (JsonLabel, VoteBody, DeadlineMarker, *more)
    _, found = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    return {name: _draft_07(schema) for name, schema in found.items()}


def _draft_07(schema: Any) -> Any:
    """Return a schema of msgspec, which is of the draft 2020-12, in AsyncAPI's draft."""
    if isinstance(schema, list):
        return [_draft_07(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {name: _draft_07(each) for name, each in schema.items()}
    if "prefixItems" in converted:
        converted["additionalItems"] = converted["items"]
        converted["items"] = converted.pop("prefixItems")
    if isinstance(pattern := converted.get("pattern"), str):  # of Python
        converted["pattern"] = pattern.replace(r"\A", "^").replace(r"\Z", "$")
    return converted


def label_headers(classes: Sequence[str] | None, limits: ScoreLimits, *, votes: bool) -> Schema:
    """Return the schema of the headers that every label has, besides those of its request.

    Args:
        classes: classes of the stack; ``None`` if they are unknown.
        limits: limits of the scores.
        votes: ``True`` if several stacks or voters vote.
    """
    properties: dict[str, Schema] = {
        "verdict": _TEXT if classes is None else {"type": "string", "enum": [*classes, "unknown"]},
        "stack": _TEXT,
        "source": {**_SOURCE, "description": "Position of the request: identifies duplicates."},
        "familiarity": {**_DECIMAL, "description": "OOD score, if the stack has one."},
    }
    required = ["verdict", "stack", "source"]
    if classes is not None:
        written = {name for name, _ in limits.headers(dict.fromkeys(classes, 0.0), {})}
        named = header_names(tuple(classes)).values()
        properties |= {name: _DECIMAL for name in named if name in written}
        required += [name for name in properties if name in written]
    if classes is None or SCORES in written:
        meaning = "JSON: class to probability."
        properties[SCORES] = {"type": "string", "description": meaning}
        required += [] if classes is None else [SCORES]
    if votes:
        properties["votes"] = {"type": "string", "description": "JSON: voter to vote."}
        properties["missing"] = {"type": "string", "description": "Voters without a vote."}
        required.append("votes")
    return {"type": "object", "properties": properties, "required": required}


def rejection_headers() -> Schema:
    """Return the schema of the headers that every rejection has, besides those of its request."""
    properties = {
        "reason": {"type": "string", "enum": [reason.value for reason in Reason]},
        "detail": {"type": "string", "description": "One sentence for people."},
        "source": _SOURCE,
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def event_header_schema(names: Sequence[str]) -> Schema:
    """Return the schema of the headers of a CloudEvent in the binary mode.

    Args:
        names: the headers; ``ce_subject`` is optional.
    """
    required = [name for name in names if name != "ce_subject"]
    return {"type": "object", "properties": dict.fromkeys(names, _TEXT), "required": required}
