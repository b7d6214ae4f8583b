"""Roles of a worker: all, voter or jury. See docs/voting.md."""

from collections.abc import Mapping
from dataclasses import dataclass

from catdog_stream.errors import SettingError, StackError
from catdog_stream.messages.votes import VOTER_NAME
from catdog_stream.models.stacks.locate import stack_directory
from catdog_stream.models.stacks.manifest import load_manifest
from catdog_stream.settings import Settings

__all__ = ["Role", "role_of"]


@dataclass(frozen=True, slots=True)
class Role:
    """Properties of a worker that depend on its role."""

    #: Consumer group, and the app's id, which is part of the names of its changelogs.
    group: str
    #: Topic whose records it answers.
    reads: str
    #: Table to the topic for each of whose partitions it has a shard.
    counted: Mapping[str, str]
    #: Name of the voter, if the role is voter.
    voter: str | None = None
    #: ``True`` if the role decides on votes, without a model.
    is_jury: bool = False

    @property
    def corrects(self) -> bool:
        """``True`` if the role applies the corrections of a recount: its workers are no voters."""
        return self.voter is None and not self.is_jury

    @property
    def votes(self) -> bool:
        """``True`` if the role reads or writes votes."""
        return self.is_jury or self.voter is not None


def role_of(settings: Settings) -> Role:
    """Return the role of the settings.

    Raises:
        SettingError: a voter has no name.
    """
    names = settings.cluster.names
    if settings.role == "jury":
        counted = {"label_counts": names.votes, "foreign_counts": names.labels}
        return Role(names.jury, names.votes, counted, is_jury=True)
    if settings.role == "voter":
        voter = settings.voter or _name_of_the_stack(settings)
        counted = {"label_counts": names.requests}
        return Role(names.group_of(voter), names.requests, counted, voter)
    return Role(names.group, names.requests, names.counted)


def _name_of_the_stack(settings: Settings) -> str:
    if settings.classifier is not None:
        raise SettingError("CATDOG_VOTER is not set: a voter with CATDOG_CLASSIFIER needs a name.")
    try:
        name = load_manifest(stack_directory(settings.stack)).name
    except StackError as error:
        raise SettingError(
            f"CATDOG_VOTER is not set, and no stack gives its name: {error}"
        ) from None
    if not VOTER_NAME.fullmatch(name):
        raise SettingError(
            f"CATDOG_VOTER is not set, and the stack's name {name!r} cannot be a voter's: "
            "it must have 1 to 32 of a-z, 0-9, _ and -."
        )
    return name
