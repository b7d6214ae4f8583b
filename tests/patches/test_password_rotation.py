"""Tests that a connection uses the password that is valid at its start."""

import asyncio
from typing import Any

import pytest
from aiokafka.conn import AIOKafkaConnection

from catdog_stream.kafka.rotated_secrets import RereadPassword
from catdog_stream.patches import password_rotation


def password_of(init: Any, password: str) -> str:
    async def make() -> str:
        connection = AIOKafkaConnection.__new__(AIOKafkaConnection)
        init(connection, "127.0.0.1", 9092, sasl_plain_password=password)
        return str(connection._sasl_plain_password)

    return asyncio.run(make())


@pytest.fixture
def rotated() -> RereadPassword:
    password = RereadPassword("first")
    password.current = lambda: "second"
    return password


def test_aiokafka_keeps_the_first_password(rotated: RereadPassword) -> None:
    """Remove the patch when this fails: see docs/upstream.md."""
    assert password_of(password_rotation._init, rotated) == "first"


def test_a_connection_asks_for_it(rotated: RereadPassword) -> None:
    password_rotation.install()
    assert password_of(AIOKafkaConnection.__init__, rotated) == "second"
    assert password_of(AIOKafkaConnection.__init__, "plain") == "plain"
