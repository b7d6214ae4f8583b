"""How workers prove to each other that they belong together, without telling a secret.

A member of the group may state the address of anything. What is sent there must be of no use
anywhere else, and what comes from there is believed only with a proof. Both are derived from the
secret and the address that is asked: ``CATDOG_WEB_PEER_TOKEN``, or else the token for reading.
"""

import hmac
from hashlib import sha256

__all__ = ["ANSWER_HEADER", "answer_proof", "is_proof", "question_token"]

#: The header of an answer to another worker.
ANSWER_HEADER = "Catdog-Peer"


def question_token(secret: str, address: str) -> str:
    """Return the token for a question to ``address``; it opens ``/shards/`` there alone."""
    return _derived(secret, "question", address)


def answer_proof(secret: str, address: str) -> str:
    """Return the token of an answer of the worker at ``address``."""
    return _derived(secret, "answer", address)


def is_proof(given: str | None, expected: str) -> bool:
    """Compare in a time that tells nothing of where they differ."""
    return hmac.compare_digest((given or "").encode("utf-8", "surrogateescape"), expected.encode())


def _derived(secret: str, purpose: str, address: str) -> str:
    return hmac.new(secret.encode(), f"{purpose} {address}".encode(), sha256).hexdigest()
