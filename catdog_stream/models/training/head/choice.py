"""The kinds of heads that a training tries."""

from catdog_stream.models.training.head.boosting import BoostedLearner
from catdog_stream.models.training.head.learner import Learner
from catdog_stream.models.training.head.linear import LinearLearner
from catdog_stream.models.training.head.options import MOST_TO_BOOST, HeadOption

__all__ = ["learners"]


def learners(option: HeadOption, classes: int, *, threads: int, progress: bool) -> list[Learner]:
    """Return the learners to compare. The first is for a training without held-out pictures."""
    found: list[Learner] = []
    if option == "boosted" or (option == "auto" and classes <= MOST_TO_BOOST):
        found.append(BoostedLearner(classes, threads=threads, progress=progress))
    if option != "boosted":
        found.append(LinearLearner(classes, progress=progress))
    return found
