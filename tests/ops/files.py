"""Files in ``ops/``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from catdog_stream.memory import MemoryPlan
from catdog_stream.settings import Settings

__all__ = ["OPS", "WORST_CASE", "manifests", "read_yaml"]

OPS = Path(__file__).parents[2] / "ops"
#: Maximum of bytes of a worker with the default stack, without a second stack beside it.
WORST_CASE = 280_000_000 + MemoryPlan.of(Settings()).total


def read_yaml(name: str) -> Any:
    """Return the content of a file."""
    return yaml.safe_load((OPS / name).read_text())


def manifests() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the Kubernetes manifests with the names of their files."""
    for file in sorted((OPS / "kubernetes").glob("*.yaml")):
        yield file.stem, yaml.safe_load(file.read_text())
