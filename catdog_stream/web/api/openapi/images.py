"""OpenAPI description of ``/images/`` and ``/addresses/``."""

from catdog_stream.web.api.addresses import MAX_ADDRESS
from catdog_stream.web.api.ids import PATTERN
from catdog_stream.web.api.openapi.parts import Part, obj, problems, ref, response
from catdog_stream.web.api.prefer_header import MAX_WAIT
from catdog_stream.web.api.uploading import MAX_URL

__all__ = ["PATHS", "SCHEMAS"]

_ID: Part = {"type": "string", "pattern": f"^{PATTERN}$", "examples": ["3-17"]}
_TEXT: Part = {"type": "string"}
_BYTE = "(1[0-9]{2}|[1-9]?[0-9])"
_NAME = "([A-Za-z0-9_-]{1,30}\\.){0,6}[A-Za-z][A-Za-z0-9_-]{0,30}"
#: Pattern of valid addresses; the settings decide if pictures are fetched from them.
ADDRESS_PATTERN = (
    rf"^(catdog:)?https?://({_NAME}|{_BYTE}(\.{_BYTE}){{3}})(:[1-9][0-9]{{0,3}})?([/?#][!-~]*)?$"
)
_CHANCE: Part = {"type": "number", "minimum": 0, "maximum": 1}
_FILE: Part = {"type": "string", "format": "binary", "minLength": 1}
_URL: Part = {
    "type": "string",
    "description": f"Opaque text that comes back with the answer; {MAX_URL} bytes at most.",
}

_KNOWN: Part = {
    "id": ref("ImageId"),
    "source": {**_TEXT, "description": "topic/partition/offset of the request."},
    "url": {"type": ["string", "null"]},
}

SCHEMAS: Part = {
    "ImageId": _ID,
    "Sent": obj(
        {"id": ref("ImageId"), "status": {"const": "waiting"}, "location": _TEXT},
    ),
    "Waiting": obj({**_KNOWN, "status": {"const": "waiting"}}),
    "Labelled": obj(
        {
            **_KNOWN,
            "status": {"const": "labelled"},
            "label": {**_TEXT, "examples": ["Probabilities: cat 99.9% dog 0.1%"]},
            "verdict": {**_TEXT, "description": "The likeliest class, or unknown."},
            "scores": {
                "type": "object",
                "additionalProperties": _CHANCE,
                "description": "Class to its probability; of many classes, the likeliest.",
            },
            "stack": {**_TEXT, "description": "Name and version of what answered."},
            "familiarity": _CHANCE,
        },
        "familiarity",
    ),
    "Rejected": obj(
        {**_KNOWN, "status": {"const": "rejected"}, "reason": _TEXT, "detail": _TEXT},
    ),
    "Answered": {"oneOf": [ref("Labelled"), ref("Rejected")]},
}

_LOCATION = {"Location": "Where its answer will be."}

_PREFER: Part = {
    "name": "Prefer",
    "in": "header",
    "description": f"wait=N: seconds to wait for the answer, {MAX_WAIT} at most.",
    "schema": {"type": "string", "examples": ["wait=5"]},
}

PATHS: Part = {
    "/images/": {
        "post": {
            "operationId": "sendImage",
            "tags": ["images"],
            "summary": "Send a picture.",
            "description": "Answers once Kafka has it, or with its answer where the client "
            "prefers to wait. The answer states whether it is a picture.",
            "parameters": [
                {"name": "url", "in": "query", "schema": _URL},
                _PREFER,
            ],
            "requestBody": {
                "required": True,
                "content": {
                    "application/octet-stream": {"schema": _FILE},
                    "image/*": {"schema": _FILE},
                    "multipart/form-data": {
                        "schema": obj(
                            {"image": _FILE, "url": _URL},
                            "url",
                            additionalProperties=False,
                        ),
                    },
                },
            },
            "responses": {
                "200": response("It was answered in time.", ref("Answered"), **_LOCATION),
                "202": response("Kafka has it.", ref("Sent"), **_LOCATION),
                **problems(400, 401, 403, 408, 413, 415, 422, 429, 503),
            },
        }
    },
    "/addresses/": {
        "post": {
            "operationId": "sendAddress",
            "tags": ["images"],
            "summary": "Have a picture fetched and sent.",
            "description": "Off unless CATDOG_WEB_FETCH says otherwise. Answers as for a picture "
            "that is sent.",
            "parameters": [_PREFER],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": obj(
                            {
                                "address": {
                                    **_TEXT,
                                    "minLength": 1,
                                    "maxLength": MAX_ADDRESS,
                                    "pattern": ADDRESS_PATTERN,
                                }
                            },
                            additionalProperties=False,
                        )
                    }
                },
            },
            "responses": {
                "200": response("It was answered in time.", ref("Answered"), **_LOCATION),
                "202": response("Kafka has it.", ref("Sent"), **_LOCATION),
                **problems(400, 401, 403, 408, 413, 415, 429, 502, 503),
            },
        }
    },
    "/images/{id}": {
        "get": {
            "operationId": "image",
            "tags": ["images"],
            "summary": "What became of a picture.",
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": ref("ImageId")}
            ],
            "responses": {
                "200": response("It is answered.", ref("Answered")),
                "202": response("It waits for its answer.", ref("Waiting")),
                **problems(400, 401, 404, 429, 503),
            },
        }
    },
}
