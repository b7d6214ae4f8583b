"""The whole OpenAPI document, at ``/openapi.json``."""

from collections.abc import Mapping
from typing import Any

from catdog_stream import __version__
from catdog_stream.web.api.openapi import images, inference, statistics
from catdog_stream.web.api.openapi.parts import Part, obj

__all__ = ["openapi_document"]

_PROBLEM = obj(
    {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
    description="RFC 9457",
)


def openapi_document(*, read_token: bool, send_token: bool) -> Mapping[str, Any]:
    """Return the document, with the tokens that are required."""
    document: Part = {
        "openapi": "3.1.0",
        "info": {
            "title": "catdog_stream",
            "version": __version__,
            "description": "Pictures in, labels out, through a stream of Kafka.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {},
        "components": {
            "schemas": {
                "Problem": _PROBLEM,
                **images.SCHEMAS,
                **statistics.SCHEMAS,
                **inference.SCHEMAS,
            }
        },
    }
    for path, operations in {**images.PATHS, **statistics.PATHS, **inference.PATHS}.items():
        document["paths"][path] = {
            method: _secured(path, operation, send_token if method == "post" else read_token)
            for method, operation in operations.items()
        }
    if read_token or send_token:
        document["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
        }
    return document


def _secured(path: str, operation: Part, needs_token: bool) -> Part:
    if not needs_token or path.startswith("/v2/health/"):
        return operation
    return {**operation, "security": [{"token": []}]}
