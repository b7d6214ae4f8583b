"""Tests that permanent objects are excluded from garbage collection, and other objects are not."""

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from catdog_stream.worker.gc_tuning import keep_out_of_gc


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


def test_nothing_is_collected_meanwhile() -> None:
    with keep_out_of_gc():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_exists_at_the_end_is_never_looked_through_again() -> None:
    with keep_out_of_gc():
        kept = [[number] for number in range(10_000)]
    assert gc.get_freeze_count() >= len(kept)


def test_an_error_in_the_block_does_not_end_collecting() -> None:
    with pytest.raises(ImportError), keep_out_of_gc():
        raise ImportError
    assert gc.isenabled()


def test_the_application_lasts() -> None:
    program = "import gc, catdog_stream.app; print(gc.isenabled(), gc.get_freeze_count())"
    answer = subprocess.check_output([sys.executable, "-c", program], text=True, timeout=60)
    enabled, frozen = answer.split()
    assert enabled == "True"
    assert int(frozen) > 10_000
