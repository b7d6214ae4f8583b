"""Loading of the stack of the settings, or of several stacks that vote."""

from dataclasses import replace
from pathlib import Path

from catdog_stream.errors import StackError
from catdog_stream.models.ensembles.voting import Member, VotingClassifier
from catdog_stream.models.pictures import PictureLimits
from catdog_stream.models.stacks.locate import stack_directory
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.settings import Settings

__all__ = ["StacksOfSettings", "load_stack"]


def load_stack(settings: Settings) -> ModelStack:
    """Load the stack of the settings, the first if there are several. Raise ``StackError``."""
    return ModelStack.load(
        stack_directory(settings.stack),
        engine=settings.engine,
        threads=settings.threads,
        batch=settings.batch,
        limits=PictureLimits(
            max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels
        ),
        turned_copies=settings.turned_copies,
    )


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
