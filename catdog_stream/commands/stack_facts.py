"""Lines of ``catdog-stream stacks`` about a stack and about a worker."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from catdog_stream.errors import StackError
from catdog_stream.kafka.deployments import RolloutState
from catdog_stream.models.classes import listed
from catdog_stream.models.stacks.manifest import Manifest
from catdog_stream.models.stacks.repository import Repository, StackId

__all__ = ["Serving", "about", "details", "serving"]

#: Maximum characters shown of a part of a manifest that has no lines of its own.
MOST = 300
#: Parts of a manifest that have their own lines.
KNOWN = frozenset(
    {"name", "version", "classes", "input", "network", "output", "features", "parts", "golden"}
)


@dataclass(frozen=True, slots=True)
class Serving:
    """Stack that a worker serves, with its rollout state."""

    worker: str
    stack: str | None
    problem: str | None
    loading: str | None

    def __str__(self) -> str:
        if self.stack is None:
            return f"{self.worker} follows no deployments: it has no CATDOG_STACKS, or is starting"
        loading = f", and loads {self.loading}" if self.loading is not None else ""
        problem = f": {self.problem}" if self.problem is not None else ""
        return f"{self.worker} serves {self.stack}{loading}{problem}"

    def as_json(self) -> dict[str, str | None]:
        """Return the fields for JSON."""
        return {
            "worker": self.worker,
            "serves": self.stack,
            "loads": self.loading,
            "problem": self.problem,
        }


def serving(worker: str, state: RolloutState) -> Serving:
    """Return the last report of a running worker."""
    report = state.reports.get(worker)
    if report is None:
        return Serving(worker, None, None, None)
    return Serving(worker, report.stack, report.problem, report.loading)


def about(repository: Repository, stack: StackId) -> dict[str, Any]:
    """Summarize a stack in one line, even if it cannot be used."""
    try:
        manifest = repository.manifest(stack)
    except StackError as error:
        return {"about": f"cannot be used: {error}", "problem": str(error), "quality": None}
    return {"about": _accuracy(manifest), "problem": None, "quality": manifest.quality}


def details(repository: Repository, stack: StackId) -> Iterator[str]:
    """Yield the lines of a manifest. Raise ``StackError``."""
    manifest, directory = repository.manifest(stack), repository.directory(stack)
    yield f"{stack}: {listed(manifest.classes)}"
    yield _fact("quality", _accuracy(manifest))
    height, width, _ = manifest.preprocessing.shape
    computed = [f"{manifest.features} features"] if manifest.features else []
    named = [manifest.network] if manifest.output == "features" else [manifest.output]
    yield _fact("network", ", ".join([*named, f"{width} x {height} pixels", *computed]))
    for name, part in manifest.parts.items():
        megabytes = (directory / part.file).stat().st_size / 2**20
        yield _fact(name, f"{part.file}, {megabytes:.1f} MB, SHA-256 {part.sha256}")
    pictures = ", ".join(each.file for each in manifest.golden)
    yield _fact("golden", pictures or "no pictures: its answers cannot be checked")
    for name, value in repository.document(stack).items():
        if name not in KNOWN and value is not None:
            yield _fact(name, _text(value))


def _accuracy(manifest: Manifest) -> str:
    quality = manifest.quality or {}
    accuracy = quality.get("accuracy")
    if not isinstance(accuracy, int | float) or not 0 <= accuracy <= 1:
        return "never measured"
    return f"accuracy {accuracy:.2%} on {_inner(quality.get('count'))[:20]} pictures"


def _fact(name: str, text: str) -> str:
    return f"  {name:<12}{text if len(text) <= MOST else f'{text[:MOST]} ...'}"


def _text(value: Any) -> str:
    """Return a part of a manifest as one line: ``counts: cat 3, dog 4``."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {_inner(each)}" for key, each in value.items())
    return _inner(value)


def _inner(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
