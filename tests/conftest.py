"""What every part of the test suite may use."""

import pytest
from hypothesis import settings

from catdog_stream import patches

# How long an example takes depends on what else the machine does.
settings.register_profile("catdog_stream", deadline=None)
settings.load_profile("catdog_stream")

pytest_plugins = ["catdog_stream.testing.fixtures"]


@pytest.fixture(scope="session", autouse=True)
def mended() -> None:
    """The tests' process begins as each of ours does."""
    patches.install()
