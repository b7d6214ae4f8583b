"""Names of the topics and consumer groups of one application."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Names", "changelog_of", "reclassify_group", "recount_group"]

#: The application's id by default.
APP = "catdog_stream"


def changelog_of(group: str, table: str) -> str:
    """Return the changelog topic of a group's table."""
    return f"{group}-{table}-changelog"


def recount_group(group: str) -> str:
    """Return the group whose committed offsets hold the corrections of a recount.

    It has no members.
    """
    return f"{group}-recount"


def reclassify_group(group: str, topic: str) -> str:
    """Return the group whose committed offsets hold the progress of a reclassification.

    It has no members.
    """
    return f"{group}-reclassify-{topic}"


@dataclass(frozen=True, slots=True)
class Names:
    """Names of an application. Several applications on one cluster have no name in common."""

    #: The application's id, which is also the id of its consumer group.
    group: str = APP
    requests: str = "catdogimage"
    labels: str = "catdoglabel"
    rejected: str = "catdogimage-rejected"
    #: Votes on requests; created if there are voters or a jury.
    votes: str = "catdogvote"
    #: Rejected requests that ``replay`` has replayed; created at its first use.
    replayed: str = "catdogimage-replayed"
    #: Deployments of stacks, for workers that are no voters; created if there are stacks.
    stacks: str = "catdogstack"

    @classmethod
    def of(cls, app: str) -> "Names":
        """Return the default names of an application."""
        if app == APP:
            return cls()
        return cls(
            app,
            requests=f"{app}-requests",
            labels=f"{app}-labels",
            rejected=f"{app}-rejected",
            votes=f"{app}-votes",
            replayed=f"{app}-replayed",
            stacks=f"{app}-stacks",
        )

    @property
    def repeated(self) -> str | None:
        """A topic that has two of the tasks; ``None`` if each has its own."""
        tasks = self._tasks
        return next((name for name in tasks if tasks.count(name) > 1), None)

    @property
    def _tasks(self) -> tuple[str, ...]:
        return *self.topics, self.votes, self.replayed, self.stacks

    def owns(self, topic: str) -> bool:
        """Return whether a topic is one of the application, or a changelog of Faust's."""
        of_faust = ("-changelog", "-__assignor-__leader")
        return (
            topic in self._tasks
            or topic.startswith(f"{self.stacks}-")
            or (topic.startswith(f"{self.group}-") and topic.endswith(of_faust))
        )

    @property
    def topics(self) -> tuple[str, str, str]:
        """Topics that always exist."""
        return self.requests, self.labels, self.rejected

    @property
    def counted(self) -> Mapping[str, str]:
        """Table to the topic for each of whose partitions it has a shard."""
        return {"label_counts": self.requests, "foreign_counts": self.labels}

    @property
    def jury(self) -> str:
        """Consumer group of a jury."""
        return f"{self.group}-jury"

    def group_of(self, voter: str | None) -> str:
        """Return the consumer group of a voter; without a name, that of all other workers."""
        return self.group if voter is None else f"{self.group}-voter-{voter}"

    def stacks_of(self, voter: str | None) -> str:
        """Return the topic of the deployments for a voter; without a name, for plain workers."""
        return self.stacks if voter is None else f"{self.stacks}-{voter}"
