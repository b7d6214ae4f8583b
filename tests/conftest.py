"""Configuration and fixtures for the whole test suite."""

import pytest
from hypothesis import settings

from catdog_stream import patches

# The duration of an example depends on the other load of the machine.
settings.register_profile("catdog_stream", deadline=None)
settings.load_profile("catdog_stream")

pytest_plugins = ["catdog_stream.testing.fixtures"]


@pytest.fixture(scope="session", autouse=True)
def mended() -> None:
    """Patch the libraries, as each process of the project does at its start."""
    patches.install()
