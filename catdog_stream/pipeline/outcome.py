"""What becomes of a request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catdog_stream.errors import RejectedRequest
from catdog_stream.models.verdict import Verdict

__all__ = ["Classified", "Outcome"]


@dataclass(frozen=True, slots=True)
class Classified:
    """The answer to a request, with what of the request goes back to the client."""

    url: str | None
    verdict: Verdict
    #: See ``wire.Request``.
    fields: Mapping[str, Any] | None = None


Outcome = Classified | RejectedRequest
