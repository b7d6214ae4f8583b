"""Mutual authentication of workers without sending a secret.

A member of the group may state the address of any server. A token sent there must be useless
anywhere else, and a response from there is trusted only with a proof. Both are derived from the
address and the secret: ``CATDOG_WEB_PEER_TOKEN``, or else the token for reading.
"""

import hmac
from hashlib import sha256

__all__ = ["ANSWER_HEADER", "answer_proof", "is_proof", "question_token"]

#: Header of a response to another worker.
ANSWER_HEADER = "Catdog-Peer"


def question_token(secret: str, address: str) -> str:
    """Return the token for a request to ``address``; it is valid only for ``/shards/`` there."""
    return _derived(secret, "question", address)


def answer_proof(secret: str, address: str) -> str:
    """Return the proof in a response of the worker at ``address``."""
    return _derived(secret, "answer", address)


def is_proof(given: str | None, expected: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest((given or "").encode("utf-8", "surrogateescape"), expected.encode())


def _derived(secret: str, purpose: str, address: str) -> str:
    return hmac.new(secret.encode(), f"{purpose} {address}".encode(), sha256).hexdigest()
