"""Loading of what classifies: the stack of the settings, several that vote, or a Python class."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from catdog_stream.errors import StackError
from catdog_stream.models import python_classifier
from catdog_stream.models.classifier import Classifier
from catdog_stream.models.ensembles.voting import Member, VotingClassifier
from catdog_stream.models.pictures import PictureLimits
from catdog_stream.models.stacks.locate import stack_directory
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.settings import Settings

__all__ = ["ClassifierOfSettings", "StacksOfSettings", "limits_of", "load_stack", "loader_of"]


def loader_of(settings: Settings) -> Callable[[Settings], Classifier]:
    """Return the loader of the classifier that the settings name."""
    return StacksOfSettings() if settings.classifier is None else ClassifierOfSettings()


def load_stack(settings: Settings) -> ModelStack:
    """Load the stack of the settings, the first if there are several. Raise ``StackError``."""
    return ModelStack.load(
        stack_directory(settings.stack),
        engine=settings.engine,
        threads=settings.threads,
        batch=settings.batch,
        limits=limits_of(settings),
        turned_copies=settings.turned_copies,
        onnx_provider=settings.onnx_provider,
    )


def limits_of(settings: Settings) -> PictureLimits:
    """Return the size limits of a picture."""
    return PictureLimits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels)


class ClassifierOfSettings:
    """Loader of the Python classifier of the settings.

    It checks the contract of the first one. A classifier that replaces a hung one serves at once.
    """

    def __init__(self) -> None:
        self._is_checked = False

    def __call__(self, settings: Settings) -> Classifier:
        """Load the classifier. Raise ``SettingError`` if it cannot be used."""
        assert settings.classifier is not None
        classifier = python_classifier.load(
            settings.classifier, settings, limits=limits_of(settings), batch=settings.batch
        )
        if not self._is_checked:
            python_classifier.check(settings.classifier, classifier)
            self._is_checked = True
        return classifier


class StacksOfSettings:
    """Loader of the stack of the settings, or of the stacks that vote.

    Each of them keeps the batch size that it found first: a stack that replaces a hung one then
    gives bit-identical answers.
    """

    def __init__(self) -> None:
        self._batches: dict[Path, int] = {}

    def __call__(self, settings: Settings) -> ModelStack | VotingClassifier:
        """Load the stacks. Raise ``StackError`` if one cannot be loaded or cannot vote."""
        if not settings.voting:
            return load_stack(settings)
        members: list[Member] = []
        try:
            for directory in settings.voting:
                batch = self._batches.get(directory, settings.batch)
                stack = load_stack(replace(settings, stack=directory, batch=batch))
                members.append(Member(stack, stack.weight))
                self._batches[directory] = stack.batch_size
            return VotingClassifier(members, settings.vote_rule)
        except StackError:
            for member in members:
                member.classifier.close()
            raise
