"""The default stack, loaded once for all tests."""

from collections.abc import Iterator

import pytest

from catdog_stream.models.stacks.locate import default_stack
from catdog_stream.models.stacks.stack import ModelStack


@pytest.fixture(scope="session")
def stack() -> Iterator[ModelStack]:
    loaded = ModelStack.load(default_stack(), engine="litert", threads=2)
    yield loaded
    loaded.close()
