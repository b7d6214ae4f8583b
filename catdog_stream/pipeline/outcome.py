"""Outcomes of a request: an answer or a rejection."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catdog_stream.errors import RejectedRequest
from catdog_stream.models.verdict import Verdict

__all__ = ["Classified", "Outcome"]


@dataclass(frozen=True, slots=True)
class Classified:
    """Answer to a request, with the request's data that is returned to the client."""

    url: str | None
    verdict: Verdict
    #: See ``messages.wire.Request``.
    fields: Mapping[str, Any] | None = None


Outcome = Classified | RejectedRequest
