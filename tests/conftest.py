"""What every part of the test suite may use."""

import pytest

from catdog_stream import patches

pytest_plugins = ["catdog_stream.testing.fixtures"]


@pytest.fixture(scope="session", autouse=True)
def mended() -> None:
    """The tests' process begins as each of ours does."""
    patches.install()
