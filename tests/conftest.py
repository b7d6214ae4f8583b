"""Configuration and fixtures for the whole test suite."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from catdog_stream import patches
from catdog_stream.broker.jars import JARS_VARIABLE, cache, fetch, pinned
from catdog_stream.errors import BrokerError

# The duration of an example depends on the other load of the machine.
settings.register_profile("catdog_stream", deadline=None)
settings.load_profile("catdog_stream")

#: Jars of further versions of Kafka, in files named after the versions.
KAFKA_JARS = Path(__file__).with_name("support") / "kafka_jars"

pytest_plugins = ["catdog_stream.testing.fixtures"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--part I/N`` and ``--kafka VERSION``: CI runs parts and versions in rotation."""
    parser.addoption("--part", metavar="I/N", help="run only each N-th file, from the I-th on")
    versions = sorted(file.stem for file in KAFKA_JARS.glob("*.txt"))
    parser.addoption("--kafka", choices=versions, help="run the tests on this version of Kafka")


@pytest.hookimpl(trylast=True)  # the other options have selected theirs
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the part, and select the version of Kafka."""
    if part := config.getoption("--part"):
        first, number = map(int, part.split("/"))
        kept = set(sorted({item.path for item in items})[first % number :: number])
        config.hook.pytest_deselected(items=[item for item in items if item.path not in kept])
        items[:] = [item for item in items if item.path in kept]
    if version := config.getoption("--kafka"):
        try:
            folder = fetch(cache(version), pinned(KAFKA_JARS / f"{version}.txt"))
        except BrokerError as error:
            pytest.exit(f"NOT TESTED on Kafka {version}: {error}", returncode=0)
        os.environ[JARS_VARIABLE] = str(folder)


@pytest.fixture(scope="session", autouse=True)
def mended() -> None:
    """Patch the libraries, as each process of the project does at its start."""
    patches.install()
