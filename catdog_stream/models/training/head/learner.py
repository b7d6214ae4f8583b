"""The two ways to train a head, and the choice between them."""

from pathlib import Path

from catdog_stream.models.stacks.writing import HEAD_FILE, LINEAR_HEAD_FILE
from catdog_stream.models.training.head.boosting import BoostedLearner
from catdog_stream.models.training.head.features import Seen
from catdog_stream.models.training.head.linear import LinearLearner
from catdog_stream.models.training.head.options import MOST_TO_BOOST, HeadOption

__all__ = ["Learner", "learners", "write_head"]

Learner = BoostedLearner | LinearLearner


def learners(option: HeadOption, classes: int, *, threads: int, progress: bool) -> list[Learner]:
    """Return the learners to compare. The first is for a training without held-out pictures."""
    found: list[Learner] = []
    if option == "boosted" or (option == "auto" and classes <= MOST_TO_BOOST):
        found.append(BoostedLearner(classes, threads=threads, progress=progress))
    if option != "boosted":
        found.append(LinearLearner(classes, progress=progress))
    return found


def write_head(learner: Learner, seen: Seen, setting: float, directory: Path) -> None:
    """Train a head on all pictures, and write it into ``directory`` in place of another one."""
    for file in (HEAD_FILE, LINEAR_HEAD_FILE):
        (directory / file).unlink(missing_ok=True)
    learner.write(seen, setting, directory)
