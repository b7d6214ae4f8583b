"""Tests that the message of a broker that refuses a token is confirmed."""

import asyncio
from typing import Any

import pytest
from aiokafka.abc import AbstractTokenProvider
from aiokafka.conn import AIOKafkaConnection, OAuthAuthenticator

from catdog_stream.patches import oauth_refusal

REFUSAL = b'{"status":"invalid_token"}'


class _Tokens(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka is untyped
    discarded = 0

    async def token(self) -> str:
        return "token"

    def discard(self) -> None:
        self.discarded += 1


def answer_to(authenticator: Any, message: bytes) -> Any:
    async def scenario() -> Any:
        await authenticator.step(None)
        return await authenticator.step(message)

    return asyncio.run(scenario())


def test_aiokafka_takes_it_for_a_success() -> None:
    """Remove the patch when this fails: see docs/upstream.md."""
    assert answer_to(OAuthAuthenticator(sasl_oauth_token_provider=_Tokens()), REFUSAL) is None


@pytest.mark.parametrize(("message", "answer"), [(REFUSAL, (b"\x01", True)), (b"", None)])
def test_a_refusal_is_confirmed_and_a_success_is_not(message: bytes, answer: Any) -> None:
    oauth_refusal.install()
    connection = AIOKafkaConnection.__new__(AIOKafkaConnection)
    tokens = connection._sasl_oauth_token_provider = _Tokens()
    assert answer_to(connection.authenticator_oauth(), message) == answer
    assert tokens.discarded == bool(message)
