"""The manifest of a trained stack: its parts and the parameters of the training."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from catdog_stream.models.stacks.manifest import Manifest
from catdog_stream.models.stacks.writing import parts_in
from catdog_stream.models.training.data.checking import Example
from catdog_stream.models.training.head.features import VIEWS
from catdog_stream.models.training.stack.head import TrainedHead
from catdog_stream.models.training.stack.task import Task

__all__ = ["manifest_of"]


def manifest_of(directory: Path, task: Task, head: TrainedHead) -> Manifest:
    """Return the manifest of the stack in ``directory``, without its measured quality."""
    classes, start, plan = task.classes, task.start, task.plan
    return Manifest(
        name=task.options.name,
        version=task.options.version,
        classes=classes,
        preprocessing=start.preprocessing,
        network=start.network,
        features=start.features,
        parts=parts_in(directory),
        calibration=head.calibration,
        training={
            "pictures": task.pictures.name,
            "counts": {
                "backbone": _counts(classes, task.parts.backbone),
                "head": _counts(classes, task.parts.head),
                "evaluation": _counts(classes, task.parts.evaluation),
            },
            "seed": task.options.seed,
            "fine_tuning": plan.as_json() if plan else None,
            "teacher": task.teacher.place.name if task.teacher else None,
            "views": VIEWS,
            **head.record,
        },
    )


def _counts(classes: Sequence[str], examples: Sequence[Example]) -> dict[str, int]:
    counts = Counter(each.file.label for each in examples)
    return {name: counts[number] for number, name in enumerate(classes)}
