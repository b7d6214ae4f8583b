"""Error responses: ``application/problem+json`` (RFC 9457), or the format of the V2 protocol."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

__all__ = ["ERRORS_V2", "NO_STORE", "Problem", "answer", "is_api", "json"]

#: Path whose errors have the format of the Open Inference Protocol: ``{"error": "..."}``.
ERRORS_V2 = "/v2"
#: Paths whose errors are problems, including the paths below them.
_PROBLEMS = ("/images", "/addresses", "/rejected", "/labels", "/history", "/openapi.json")
NO_STORE = {"Cache-Control": "no-store"}


class Problem(Exception):  # noqa: N818 - the name in the standard
    """Request that gets an error response.

    Args:
        status: HTTP status.
        detail: one sentence for people.
        headers: further headers of the response.
        more: further members of the problem.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}
        self.more = more


def is_api(path: str) -> bool:
    """Return true if the errors of this path are JSON for programs."""
    return is_v2(path) or any(_below(path, each) for each in _PROBLEMS)


def is_v2(path: str) -> bool:
    """Return true if the path belongs to the Open Inference Protocol."""
    return _below(path, ERRORS_V2)


def _below(path: str, root: str) -> bool:
    return path == root or path.startswith(root + "/")


def answer(path: str, problem: Problem) -> web.Response:
    """Return the error response for a request to ``path``."""
    if is_v2(path):
        return json({"error": problem.detail}, problem.status, problem.headers)
    document = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        **problem.more,
    }
    return json(document, problem.status, problem.headers, "application/problem+json")


def json(
    document: Any,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = "application/json",
) -> web.Response:
    """Return a JSON response that no client caches."""
    return web.Response(
        body=orjson.dumps(document),
        status=status,
        content_type=content_type,
        headers={**NO_STORE, **(headers or {})},
    )
