"""Which requests make up a share of the traffic: the same ones in every process, and for ever.

A request that is delivered again, to another worker too, is chosen again or not again as it was the
first time. Who is in a share is in every larger one.
"""

from dataclasses import dataclass
from hashlib import blake2b

from catdog_stream.wire import Source

__all__ = ["Sample"]

_BYTES = 8
_ALL: int = 256**_BYTES


@dataclass(frozen=True, slots=True)
class Sample:
    """A share of all requests.

    Samples for different purposes have nothing to do with each other.
    """

    purpose: bytes
    """At most 16 bytes."""
    share: float
    """0 to 1."""

    def __contains__(self, source: Source) -> bool:
        """Whether a request belongs to it, by where it stands in Kafka."""
        digest = blake2b(str(source).encode(), digest_size=_BYTES, person=self.purpose).digest()
        return int.from_bytes(digest, "big") < self.share * _ALL
