"""Headers with tokens."""

__all__ = ["bearer"]


def bearer(token: str | None) -> dict[str, str]:
    """Return the header that carries the token; none without a token."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}
