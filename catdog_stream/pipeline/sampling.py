"""Samples of the traffic: a fixed share of requests, the same in every process and at any time.

A request that is delivered again, also to another worker, is in the sample again if and only if it
was in the sample the first time. A larger share contains every smaller share of the same purpose.
"""

from dataclasses import dataclass
from hashlib import blake2b

from catdog_stream.messages.wire import Source

__all__ = ["Sample"]

_BYTES = 8
_ALL: int = 256**_BYTES


@dataclass(frozen=True, slots=True)
class Sample:
    """Share of all requests.

    Samples for different purposes are independent of each other.
    """

    purpose: bytes
    """At most 16 bytes."""
    share: float
    """0 to 1."""

    def __contains__(self, source: Source) -> bool:
        """Return whether the sample contains a request, by the request's place in Kafka."""
        digest = blake2b(str(source).encode(), digest_size=_BYTES, person=self.purpose).digest()
        return int.from_bytes(digest, "big") < self.share * _ALL
