"""Form with which a visitor sends pictures to the stream; the answers appear beside them.

The browser's script fills and shows it; without a script it stays hidden. The HTML forms send
nothing by themselves.
"""

from dataclasses import dataclass

from catdog_stream.errors import REPLAY_ADVICE

__all__ = ["RETRIED", "Offers"]


@dataclass(frozen=True, slots=True)
class Offers:
    """Actions that a visitor of the page may perform."""

    #: ``True``: pictures may be sent.
    send: bool = True
    #: ``True``: pictures may be fetched by address.
    fetch: bool = False
    #: ``True``: HEIC is converted here, because few browsers can.
    heic: bool = False
    #: Maximum bytes of one picture.
    max_image_bytes: int = 4_000_000


#: Reasons of rejections after which the script offers a further attempt.
RETRIED = " ".join(reason for reason, advice in REPLAY_ADVICE.items() if advice.can_help)
