"""The files in ``ops/``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

__all__ = ["OPS", "manifests", "read_yaml"]

OPS = Path(__file__).parents[2] / "ops"


def read_yaml(name: str) -> Any:
    """What a file holds."""
    return yaml.safe_load((OPS / name).read_text())


def manifests() -> Iterator[tuple[str, dict[str, Any]]]:
    """Those for Kubernetes, by the name of their file."""
    for file in sorted((OPS / "kubernetes").glob("*.yaml")):
        yield file.stem, yaml.safe_load(file.read_text())
