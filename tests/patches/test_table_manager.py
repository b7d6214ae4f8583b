"""Tests that tables start at once."""

import asyncio

import pytest
from faust.exceptions import ConsumerNotStarted
from faust.tables.manager import TableManager

from catdog_stream.app import app, build_app
from catdog_stream.patches.table_manager import PromptTableManager
from catdog_stream.settings import Settings

#: Half of the seconds that Faust sleeps.
SECONDS = 0.5


def test_the_application_uses_it() -> None:
    assert isinstance(app.tables, PromptTableManager)


def test_tables_are_started_without_a_sleep() -> None:
    # Without a broker the start ends when it reads the consumer's partitions.
    with pytest.raises(ConsumerNotStarted):
        asyncio.run(_start(PromptTableManager(build_app(Settings()))))


def test_faust_sleeps_first() -> None:
    with pytest.raises(TimeoutError):
        asyncio.run(_start(TableManager(build_app(Settings()))))


async def _start(manager: TableManager) -> None:
    async with asyncio.timeout(SECONDS):
        await manager.on_start()
