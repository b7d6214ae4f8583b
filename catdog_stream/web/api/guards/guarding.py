"""Checks of every request, and errors in the format of the requested path."""

import logging

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from catdog_stream.web.api.guards.codings import content_coding
from catdog_stream.web.api.guards.origins import SAFE_METHODS, is_foreign
from catdog_stream.web.api.guards.tokens import Tokens
from catdog_stream.web.api.problems import Problem, answer, is_api

__all__ = ["guard", "problem_response"]

logger = logging.getLogger(__name__)


def guard(tokens: Tokens, *, sending: bool) -> Middleware:
    """Return the middleware that checks every request.

    Args:
        tokens: tokens for reading and sending.
        sending: ``False``: only requests that read are allowed.
    """

    def check(request: web.Request) -> None:
        content_coding(request.headers)
        if request.method not in SAFE_METHODS:
            if is_foreign(request.headers, scheme=request.scheme, port=_port(request)):
                raise Problem(403, "A page of another origin must not send.")
            tokens.check(request.method, request.path, request.headers)
            if not sending:
                raise Problem(403, "Nothing can be sent to this worker: CATDOG_WEB_SEND is off.")
        else:
            tokens.check(request.method, request.path, request.headers)

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            check(request)
            return await handler(request)
        except Problem as problem:
            return problem_response(request, problem)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            detail = _DETAILS.get(error.status, f"{error.reason}.")
            headers = {name: error.headers[name] for name in _KEPT if name in error.headers}
            return problem_response(request, Problem(error.status, detail, headers=headers))
        except Exception:
            logger.exception("%s %s could not be answered.", request.method, request.path)
            return problem_response(
                request, Problem(500, "A fault of the application; its log has the details.")
            )

    return guarded


def _port(request: web.Request) -> int | None:
    """Return the local port of the request's connection."""
    place = request.transport.get_extra_info("sockname") if request.transport else None
    return place[1] if isinstance(place, tuple) else None


_KEPT = ("Allow", "Retry-After")
_DETAILS = {404: "There is nothing here.", 405: "This cannot be done here."}


def problem_response(request: web.Request, problem: Problem) -> web.Response:
    """Return the error response: JSON for programs, plain text for people.

    A browser that navigates accepts HTML; programs do not.
    """
    if is_api(request.path) or "text/html" not in request.headers.get("Accept", ""):
        return answer(request.path, problem)
    return web.Response(
        status=problem.status, text=f"{problem.detail}\n", headers=dict(problem.headers)
    )
