"""What the settings name, loaded: a stack, or several that vote."""

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
    """The stack that the settings name, the first if they name several. Raises ``StackError``."""
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
    """Loads the stack that the settings name, or those that vote.

    Each of these has its own batch size, the one that it found first: those that take over from a
    hung one then answer with the same bits.
    """

    def __init__(self) -> None:
        self._batches: dict[Path, int] = {}

    def __call__(self, settings: Settings) -> ModelStack | VotingClassifier:
        """Raises ``StackError``: one of them cannot be loaded, or not vote with the others."""
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
