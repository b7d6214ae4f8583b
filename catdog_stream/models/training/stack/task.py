"""The input of every step of a training: pictures, start and options."""

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catdog_stream.models.engines.networks import NetworkName
from catdog_stream.models.pictures import PictureLimits
from catdog_stream.models.training.backbone.plan import FineTuning, automatic
from catdog_stream.models.training.backbone.start import Start
from catdog_stream.models.training.data.checking import Checked, Example
from catdog_stream.models.training.data.splitting import Split
from catdog_stream.models.training.head.options import HeadOption

__all__ = ["Options", "Task"]


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a training."""

    name: str
    """Name of the stack."""
    version: str = "1"
    network: NetworkName | None = None
    """Architecture; by default the start's."""
    size: int | None = None
    """Width and height of the network's input, in pixels; by default the start's."""
    epochs: float | None = None
    """Number of passes over the pictures; by default chosen by the number of pictures."""
    upper_layers: bool = False
    """True if the lower layers of the network stay frozen."""
    fine_tuning: bool | None = None
    """True if the network is trained; by default chosen by the number of pictures."""
    seed: int = 0
    head: HeadOption = "auto"
    """Kind of the head; by default the kind with the smaller held-out loss."""


@dataclass(frozen=True, slots=True)
class Task:
    """A training with its options and its validated pictures."""

    pictures: Path
    """Folder of the training pictures."""
    evaluation: Path
    """Folder of the pictures for the evaluation."""
    checked: Checked
    parts: Split
    start: Start
    teacher: Start | None
    """Network that the start's network imitates in training."""
    options: Options
    limits: PictureLimits
    """Size limits of a picture, those of a worker."""
    threads: int
    """Number of CPU threads."""
    progress: bool
    """True to show the progress."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of their indices."""
        return self.checked.classes

    @property
    def plan(self) -> FineTuning | None:
        """The plan of the fine-tuning; ``None`` if the network is not trained."""
        if not self.parts.backbone:
            return None
        return automatic(
            len(self.parts.backbone),
            self.start.preprocessing.size,
            epochs=self.options.epochs,
            upper=self.options.upper_layers,
            seed=self.options.seed,
        )

    @property
    def unchanged(self) -> Path | None:
        """The start's network, if the stack gets a copy of its file, else ``None``."""
        return None if self.parts.backbone else self.start.litert or self.start.onnx

    def about(self) -> dict[str, Any]:
        """Return everything that determines the result, as JSON."""
        return {
            **dataclasses.asdict(self.options),
            # None, as for a training that began with a version without these options.
            "upper_layers": self.options.upper_layers or None,
            "head": self.options.head if self.options.head != "auto" else None,
            "network": self.start.network,
            "size": self.start.preprocessing.size,
            "fine_tuning": bool(self.parts.backbone),
            "backbone": self.start.digest,
            "teacher": self.teacher.digest if self.teacher else None,
            "classes": self.classes,
            "pictures": _digest(self.checked.training),
            "evaluation": _digest(self.checked.evaluation),
        }


def _digest(examples: Sequence[Example]) -> str:
    lines = "".join(f"{each.sha256} {each.file.label}{_group(each)}\n" for each in examples)
    return hashlib.sha256(lines.encode(errors="surrogateescape")).hexdigest()


def _group(example: Example) -> str:
    return "" if example.group is None else f" {example.group!r}"
