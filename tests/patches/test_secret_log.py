"""Tests that a password that is sent to the broker is not logged."""

import asyncio
import logging

import pytest
from aiokafka.protocol.admin import SaslAuthenticateRequest, SaslAuthenticateRequest_v1
from aiokafka.protocol.metadata import MetadataRequest_v1

from catdog_stream.patches import secret_log
from tests.support.silent import connected, silent

SECRET = b"\0alice\0correct horse battery staple"


def test_the_request_with_the_password_is_not_logged_and_others_are(
    caplog: pytest.LogCaptureFixture,
) -> None:
    secret_log.install()
    log = logging.getLogger("aiokafka.conn")
    with caplog.at_level(logging.DEBUG, log.name):
        # As in AIOKafkaConnection.send.
        for request in (SaslAuthenticateRequest_v1(SECRET), MetadataRequest_v1([])):
            log.debug("Request to %s:%d %d: %s", "broker", 9092, 1, request)
    (line,) = caplog.messages
    assert "Metadata" in line
    assert "horse" not in caplog.text


def test_installing_it_twice_is_the_same_as_once() -> None:
    secret_log.install()
    before = list(logging.getLogger("aiokafka.conn").filters)
    secret_log.install()
    assert logging.getLogger("aiokafka.conn").filters == before


def test_aiokafka_logs_it(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Remove the patch when this fails: see docs/upstream.md."""
    log = logging.getLogger("aiokafka.conn")
    monkeypatch.setattr(log, "filters", [])

    async def scenario() -> None:
        async with silent() as port:
            connection = await connected(port, monkeypatch)
            with caplog.at_level(logging.DEBUG, log.name):
                asked = asyncio.ensure_future(connection.send(SaslAuthenticateRequest(SECRET)))
            connection.close()
            await asyncio.gather(asked, return_exceptions=True)

    asyncio.run(scenario())
    assert "horse" in caplog.text
