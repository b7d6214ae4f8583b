"""Pictures and workers for the tests of the whole system."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from catdog_stream.testing.worker import Worker
from tests.support.fleet import nothing_uncommitted
from tests.support.pictures import LOOKING

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(scope="session")
def cat() -> bytes:
    """Return a picture of a cat."""
    return (SAMPLES / "cat-kitten.jpg").read_bytes()


@pytest.fixture(scope="session")
def dog() -> bytes:
    """Return a picture of a dog."""
    return (SAMPLES / "dog-beagle.jpg").read_bytes()


@pytest.fixture(scope="module")
def worker(broker_address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """Yield a ready worker that the tests of a module share."""
    with Worker(broker_address, tmp_path_factory.mktemp("worker")) as started:
        started.wait_ready()
        asyncio.run(nothing_uncommitted(broker_address))
        yield started


@pytest.fixture(scope="module")
def looking(broker_address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """Yield a worker whose model costs nothing and whose HTTP rate limit is off."""
    folder, settings = tmp_path_factory.mktemp("looking"), {"CATDOG_WEB_RATE": "0"}
    with Worker(broker_address, folder, module=LOOKING, settings=settings) as started:
        yield started.wait_ready()
        assert "Traceback" not in started.log.read_text()
