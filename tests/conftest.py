"""Configuration and fixtures for the whole test suite."""

import pytest
from hypothesis import settings

from catdog_stream import patches

# The duration of an example depends on the other load of the machine.
settings.register_profile("catdog_stream", deadline=None)
settings.load_profile("catdog_stream")

pytest_plugins = ["catdog_stream.testing.fixtures"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--part I/N``: CI runs one of N parts of the long tests for each commit."""
    parser.addoption("--part", metavar="I/N", help="run only each N-th file, from the I-th on")


@pytest.hookimpl(trylast=True)  # the other options have selected theirs
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the part."""
    if part := config.getoption("--part"):
        first, number = map(int, part.split("/"))
        kept = set(sorted({item.path for item in items})[first % number :: number])
        config.hook.pytest_deselected(items=[item for item in items if item.path not in kept])
        items[:] = [item for item in items if item.path in kept]


@pytest.fixture(scope="session", autouse=True)
def mended() -> None:
    """Patch the libraries, as each process of the project does at its start."""
    patches.install()
