"""Programs whose pace several benchmarks measure."""

import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from benchmarks.brokers import Broker
from catdog_stream.testing.worker import Worker
from tests.support.command import Command

__all__ = ["instant_worker", "loop"]

ROOT = Path(__file__).parents[1]


def instant_worker(broker: Broker, settings: Mapping[str, str]) -> Callable[[], Worker]:
    """Return a function that starts a worker whose model answers at once."""
    return partial(
        Worker,
        broker.address,
        broker.folder,
        module="benchmarks.instant_worker",
        settings=settings,
    )


def loop(broker: Broker, module: str, group: str) -> Callable[[], Command]:
    """Return a function that starts a loop of this package as a member of ``group``."""
    return partial(
        Command,
        [sys.executable, "-m", f"benchmarks.{module}", broker.address, group],
        {**os.environ, "PYTHONPATH": str(ROOT)},
        broker.folder,
    )
