"""The step that creates the head: features of the pictures, choice of the head, calibration."""

from dataclasses import dataclass
from typing import Any

from catdog_stream.models.stacks.calibration import Calibration
from catdog_stream.models.training.data.splitting import folds
from catdog_stream.models.training.evaluation import (
    Probabilities,
    accuracy,
    calibration_error,
    log_loss,
)
from catdog_stream.models.training.head.features import Seen, see
from catdog_stream.models.training.head.held_out import Arrays, HeldOut
from catdog_stream.models.training.head.learner import Learner, learners, write_head
from catdog_stream.models.training.intervals import share_interval
from catdog_stream.models.training.stack.calibrating import calibrate
from catdog_stream.models.training.stack.task import Task
from catdog_stream.models.training.stack.unfinished import Unfinished

__all__ = ["TrainedHead", "put_head", "see_pictures"]


@dataclass(frozen=True, slots=True)
class TrainedHead:
    """The result of ``put_head``."""

    calibration: Calibration | None
    held_out: Probabilities
    """Calibrated probabilities of the head's pictures, of heads that were not trained on them."""
    record: dict[str, Any]
    """Parameters and held-out quality, for the manifest."""


def see_pictures(task: Task, work: Unfinished) -> Seen:
    """Return the features of the head's pictures, computed or from an interrupted training."""
    found = work.remember("features", lambda: _see(task, work))
    return Seen(found["features"], found["labels"], [])


def _see(task: Task, work: Unfinished) -> Arrays:
    seen = see(
        [each.file for each in task.parts.head],
        work.stack,
        task.start.described,
        seed=task.options.seed,
        threads=task.threads,
        progress=task.progress,
    )
    return {"features": seen.features, "labels": seen.labels}


def put_head(task: Task, work: Unfinished, seen: Seen) -> TrainedHead:
    """Train heads of each kind on folds, and write the kind with the least held-out log loss."""
    fold = folds(task.parts.head, task.options.seed)
    found: list[tuple[float, Learner, HeldOut, Calibration | None, Probabilities]] = []
    for learner in learners(
        task.options.head, len(task.classes), threads=task.threads, progress=task.progress
    ):
        held = learner.hold_out(seen, fold, work.remember)
        calibration = calibrate(held.logits, seen.labels, fold)
        calibrated = calibration or Calibration.none(len(task.classes))
        probabilities = calibrated.probabilities(held.logits)
        loss = log_loss(seen.labels, probabilities)
        found.append((loss, learner, held, calibration, probabilities))
    loss, learner, held, calibration, probabilities = min(found, key=lambda each: each[0])
    write_head(learner, seen, held.setting, work.stack)
    right = accuracy(seen.labels, probabilities)
    ends = share_interval(round(right * len(seen.labels)), len(seen.labels))
    quality = {
        "accuracy": round(right, 6),
        "accuracy_interval": [round(end, 6) for end in ends],
        "log_loss": round(loss, 6),
        "calibration_error": round(calibration_error(seen.labels, probabilities), 6),
    }
    record = {
        "head": learner.kind,
        **learner.record(held.setting),
        "compared": {each.kind: round(of_kind, 6) for of_kind, each, *_ in found},
        "held_out": quality,
    }
    return TrainedHead(calibration, probabilities, record)
