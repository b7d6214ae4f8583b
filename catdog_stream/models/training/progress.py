"""Batches of labelled pictures, prepared for a stack or for a jury of stacks."""

from collections.abc import Iterator, Sequence

from catdog_stream.models.classifier import Prepared
from catdog_stream.models.ensembles.voting import VotingClassifier
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.models.training.labelled import LabelledBatch, LabelledFile, read_batches

__all__ = ["Shown", "prepared_batches"]

Shown = ModelStack | VotingClassifier
"""Classifier that can be evaluated; the members of a jury are stacks."""


def prepared_batches(
    classifier: Shown, files: Sequence[LabelledFile]
) -> Iterator[tuple[Sequence[Prepared], LabelledBatch]]:
    """Yield the prepared pictures of ``files``, batch by batch, each with its labelled batch."""
    if isinstance(classifier, ModelStack):
        for batch in _batches(classifier, files):
            yield list(batch.pictures), batch
        return
    members = [member.classifier for member in classifier.members]
    stacks = [member for member in members if isinstance(member, ModelStack)]
    for batches in zip(*(_batches(stack, files) for stack in stacks), strict=True):
        yield list(zip(*(batch.pictures for batch in batches), strict=True)), batches[0]


def _batches(stack: ModelStack, files: Sequence[LabelledFile]) -> Iterator[LabelledBatch]:
    return read_batches(files, stack.preprocessing, threads=stack.threads)
