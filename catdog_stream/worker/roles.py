"""What a worker is: everything, a voter, or of the jury. See docs/voting.md."""

from collections.abc import Mapping
from dataclasses import dataclass

from catdog_stream.errors import SettingError, StackError
from catdog_stream.models.stacks.locate import stack_directory
from catdog_stream.models.stacks.manifest import load_manifest
from catdog_stream.settings import Settings
from catdog_stream.topics import COUNTED, GROUP, LABELS, REQUESTS, VOTES, group_of
from catdog_stream.votes import VOTER_NAME

__all__ = ["Role", "role_of"]

#: What registers itself with the app when it is imported.
EVERYWHERE = ("catdog_stream.web.views", "catdog_stream.commands")
#: A recount speaks of the counts of the one group; it must not be added to those of another.
CLASSIFIES, COUNTS, CORRECTS, DECIDES = (
    f"catdog_stream.agents.{name}" for name in ("classify", "count", "correct", "decide")
)


@dataclass(frozen=True, slots=True)
class Role:
    """What differs between workers."""

    #: Its consumer group, and the app's id, which its changelogs are called after.
    group: str
    #: The topic whose records it answers.
    reads: str
    #: Table to the topic whose partitions it has a shard for.
    counted: Mapping[str, str]
    modules: tuple[str, ...]
    #: Its name as a voter, if it is one.
    voter: str | None = None

    @property
    def is_jury(self) -> bool:
        """Whether it decides, and needs no model."""
        return self.reads == VOTES

    @property
    def corrects(self) -> bool:
        """``True`` if the role applies the corrections of a recount."""
        return CORRECTS in self.modules

    @property
    def votes(self) -> bool:
        """Whether it has to do with votes."""
        return self.is_jury or self.voter is not None


def role_of(settings: Settings) -> Role:
    """The role that the settings name.

    Raises:
        SettingError: a voter has no name.
    """
    if settings.role == "jury":
        counted = {"label_counts": VOTES, "foreign_counts": LABELS}
        return Role(f"{GROUP}-jury", VOTES, counted, (DECIDES, COUNTS, *EVERYWHERE))
    if settings.role == "voter":
        voter = settings.voter or _name_of_the_stack(settings)
        counted = {"label_counts": REQUESTS}
        return Role(group_of(voter), REQUESTS, counted, (CLASSIFIES, *EVERYWHERE), voter)
    return Role(GROUP, REQUESTS, COUNTED, (CLASSIFIES, CORRECTS, COUNTS, *EVERYWHERE))


def _name_of_the_stack(settings: Settings) -> str:
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
