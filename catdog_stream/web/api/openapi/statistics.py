"""OpenAPI description of counts, history and rejections."""

from msgspec.json import schema_components

from catdog_stream.web.api.answer import RejectedReasons
from catdog_stream.web.api.openapi.parts import Part, obj, problems, ref, response

__all__ = ["PATHS", "SCHEMAS"]

_TEXT: Part = {"type": "string"}
_COUNT: Part = {"type": "integer", "minimum": 0}
_RATE: Part = {"type": "number", "minimum": 0}
_MAYBE: Part = {"type": ["number", "null"]}

SCHEMAS: Part = {
    "Labels": obj(
        {
            "total": _COUNT,
            "labels": {"type": "object", "additionalProperties": _COUNT},
            "rejected": _COUNT,
            "workers": obj({"asked": _COUNT, "answered": _COUNT}),
            "rates": {
                "description": "Requests per second of the whole group; null: unknown.",
                "oneOf": [{"type": "null"}, obj({"arriving": _RATE, "answered": _RATE})],
            },
        }
    ),
    "LabelCount": obj({"label": _TEXT, "count": _COUNT}),
    **schema_components([RejectedReasons], ref_template=ref("{name}")["$ref"])[1],
    "History": {"type": "object"},
}


def _read(operation: str, summary: str, schema: str, *statuses: int) -> Part:
    return {
        "operationId": operation,
        "tags": ["statistics"],
        "summary": summary,
        "responses": {
            "200": response("Of all workers that answer.", ref(schema)),
            **problems(401, *statuses),
        },
    }


PATHS: Part = {
    "/labels/": {"get": _read("labels", "How many pictures got which verdict.", "Labels")},
    "/labels/{label}/": {
        "get": {
            **_read("label", "How many pictures got this verdict.", "LabelCount", 404),
            "parameters": [{"name": "label", "in": "path", "required": True, "schema": _TEXT}],
        }
    },
    "/history/": {"get": _read("history", "The last hour, in slots of ten seconds.", "History")},
    "/rejected/": {
        "get": _read(
            "rejected",
            "How many requests were rejected for which reason, and the latest of each.",
            "RejectedReasons",
        )
    },
}
