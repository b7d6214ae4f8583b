"""Patch: a client whose token is refused reports that.

Fault (aiokafka 0.14): a broker answers a refused token with a message, and reports the error after
the client has confirmed the message (RFC 7628, section 3.2.3). aiokafka takes the message for a
success. The next request then fails, as on a port that expects another protocol.

Repair: the client confirms the message. A provider with a method ``discard`` is notified: another
token may be accepted, for example if this machine was suspended until the token had expired.
"""

from typing import Any

from aiokafka.conn import AIOKafkaConnection, OAuthAuthenticator

__all__ = ["ConfirmingOAuthAuthenticator", "install"]

_CONFIRMATION = b"\x01"


class ConfirmingOAuthAuthenticator(OAuthAuthenticator):  # type: ignore[misc]  # aiokafka is untyped
    """`OAuthAuthenticator` that confirms the broker's message about a refused token."""

    async def step(self, payload: bytes | None) -> Any:
        """Return the next message to the broker, and whether it answers; ``None`` at the end."""
        if not payload:
            return await super().step(payload)
        if callable(discard := getattr(self._sasl_oauth_token_provider, "discard", None)):
            discard()
        return _CONFIRMATION, True


def _authenticator(self: Any) -> ConfirmingOAuthAuthenticator:
    return ConfirmingOAuthAuthenticator(sasl_oauth_token_provider=self._sasl_oauth_token_provider)


def install() -> None:
    """Patch every connection of this process."""
    AIOKafkaConnection.authenticator_oauth = _authenticator
