"""Building blocks of the OpenAPI descriptions."""

from collections.abc import Mapping
from typing import Any

__all__ = ["Part", "array", "error", "in_json", "obj", "problems", "ref", "response"]

Part = dict[str, Any]

_MEANINGS = {
    400: "What was sent cannot be used.",
    401: "It takes a token.",
    403: "Sending is switched off, a page of another origin sent it, nothing is fetched from this "
    "address, or Kafka does not let this service take pictures.",
    404: "There is no such thing.",
    408: "The body did not come in time.",
    413: "The body is too large, or the picture for its topic.",
    415: "The body is of another type.",
    422: "The picture cannot be converted.",
    429: "The client sends, or looks up, too many pictures.",
    502: "No picture can be fetched from the address.",
    503: "Kafka does not answer, or too much comes at once.",
    504: "Not answered in time, though it will be.",
}


def ref(name: str) -> Part:
    """Return a reference to a schema by name."""
    return {"$ref": f"#/components/schemas/{name}"}


def obj(properties: Mapping[str, Part], *optional: str, **more: Any) -> Part:
    """Return an object schema; all properties are required except the ``optional`` ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": dict(properties), "required": required, **more}


def array(items: Part, **more: Any) -> Part:
    """Return an array schema."""
    return {"type": "array", "items": items, **more}


def in_json(schema: Part, content_type: str = "application/json") -> Part:
    """Return the content of a body."""
    return {content_type: {"schema": schema}}


def response(description: str, schema: Part, **headers: str) -> Part:
    """Return a JSON response; ``headers`` maps names to descriptions."""
    response: Part = {"description": description, "content": in_json(schema)}
    if headers:
        response["headers"] = {
            name.replace("_", "-"): {"description": meaning, "schema": {"type": "string"}}
            for name, meaning in headers.items()
        }
    return response


def problems(*statuses: int) -> Part:
    """Return the error responses as problems (RFC 9457)."""
    content = in_json(ref("Problem"), "application/problem+json")
    return {
        str(status): {"description": _MEANINGS[status], "content": content} for status in statuses
    }


def error(*statuses: int) -> Part:
    """Return the error responses in the format of the Open Inference Protocol."""
    return {str(status): response(_MEANINGS[status], ref("Error")) for status in statuses}
