"""What is to be made, of what and how: what every step of a training is told."""

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catdog_stream.models.engines.networks import NetworkName
from catdog_stream.models.training.backbone.plan import FineTuning, automatic
from catdog_stream.models.training.backbone.start import Start
from catdog_stream.models.training.data.checking import Checked, Example
from catdog_stream.models.training.data.splitting import Split

__all__ = ["Options", "Task"]


@dataclass(frozen=True, slots=True)
class Options:
    """How a stack is trained."""

    name: str
    """The stack's."""
    version: str = "1"
    network: NetworkName | None = None
    """Its architecture; that of the start by default."""
    size: int | None = None
    """Width and height of what the network sees, in pixels; that of the start by default."""
    epochs: float | None = None
    """How often the network sees each of its pictures; by their number by default."""
    upper_layers: bool = False
    """``True`` if the lower layers of the network stay as they are."""
    fine_tuning: bool | None = None
    """Whether the network learns; by the number of pictures by default."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """A training, as it was asked for and as the pictures allow it."""

    pictures: Path
    """Their folder."""
    evaluation: Path
    """The folder of those that the stack is measured on."""
    checked: Checked
    parts: Split
    start: Start
    teacher: Start | None
    """What the start's network is to imitate while it learns."""
    options: Options
    threads: int
    """Of the CPU."""
    progress: bool
    """Whether to show how far it is."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names, in the order of their numbers."""
        return self.checked.classes

    @property
    def plan(self) -> FineTuning | None:
        """How the network learns; ``None`` if it does not."""
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
        """The start's network as LiteRT runs it, if the stack gets that very file."""
        return None if self.parts.backbone else self.start.litert

    def about(self) -> dict[str, Any]:
        """All that decides what comes out."""
        return {
            **dataclasses.asdict(self.options),
            # As it is where a training was begun by a version without this option.
            "upper_layers": self.options.upper_layers or None,
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
    lines = "".join(f"{each.sha256} {each.file.label}\n" for each in examples)
    return hashlib.sha256(lines.encode()).hexdigest()
