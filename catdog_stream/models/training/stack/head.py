"""The step that creates the head: features of the pictures, trees, and calibration."""

from dataclasses import dataclass

from catdog_stream.models.engines.convert import LITERT_FILE
from catdog_stream.models.engines.litert import LiteRTBackbone
from catdog_stream.models.engines.networks import NETWORKS
from catdog_stream.models.stacks.calibration import Calibration
from catdog_stream.models.stacks.writing import HEAD_FILE
from catdog_stream.models.training.data.splitting import folds
from catdog_stream.models.training.evaluation import accuracy, calibration_error, log_loss
from catdog_stream.models.training.head.boosting import fit, hold_out
from catdog_stream.models.training.head.features import Seen, see
from catdog_stream.models.training.stack.calibrating import calibrate
from catdog_stream.models.training.stack.task import Task
from catdog_stream.models.training.stack.unfinished import Unfinished

__all__ = ["TrainedHead", "put_head", "see_pictures"]


@dataclass(frozen=True, slots=True)
class TrainedHead:
    """The result of ``put_head``."""

    rounds: int
    """Number of rounds of trees."""
    calibration: Calibration | None
    quality: dict[str, float]
    """Quality of the calibrated probabilities on held-out pictures."""


def see_pictures(task: Task, work: Unfinished) -> Seen:
    """Return the features of the head's pictures, computed or from an interrupted training."""
    kept = work.kept()
    if kept is not None:
        return kept
    wanted = task.start.preprocessing
    backbone = LiteRTBackbone(
        work.stack / LITERT_FILE,
        wanted,
        NETWORKS[task.start.network].features,
        threads=task.threads,
    )
    seen = see(
        [each.file for each in task.parts.head],
        backbone,
        wanted,
        seed=task.options.seed,
        threads=task.threads,
        progress=task.progress,
    )
    backbone.close()
    work.keep(seen)
    return seen


def put_head(task: Task, work: Unfinished, seen: Seen) -> TrainedHead:
    """Train the head, with rounds and calibration chosen on held-out folds, and write it."""
    classes = len(task.classes)
    fold = folds(task.parts.head, task.options.seed)
    held = hold_out(seen, classes, fold, threads=task.threads, progress=task.progress)
    calibration = calibrate(held.logits, seen.labels, fold)
    booster = fit(seen, classes, held.rounds, progress=task.progress)
    booster.save_model(work.stack / HEAD_FILE)
    probabilities = (calibration or Calibration.none(classes)).probabilities(held.logits)
    quality = {
        "accuracy": round(accuracy(seen.labels, probabilities), 6),
        "log_loss": round(log_loss(seen.labels, probabilities), 6),
        "calibration_error": round(calibration_error(seen.labels, probabilities), 6),
    }
    return TrainedHead(held.rounds, calibration, quality)
