"""Topics, groups and permissions that a worker needs, by its role and its settings.

docs/security.md has the same as a table for the operator who grants them, and the security tests
run with exactly these permissions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka.admin import NewTopic

from catdog_stream.kafka.cluster import new_topic
from catdog_stream.kafka.explanations import Access
from catdog_stream.kafka.names import changelog_of, recount_group
from catdog_stream.settings import Settings
from catdog_stream.worker.roles import Role

__all__ = ["Need", "groups_of", "leader_of", "needs_of", "topics_of"]

#: Configuration of a topic that keeps the last record of each key.
#: Kafka compacts closed segments only, and a worker reads a changelog at its start.
_COMPACTED = {"cleanup.policy": "compact", "segment.bytes": str(64 * 1024 * 1024)}


@dataclass(frozen=True, slots=True)
class Need:
    """Permission that a worker needs."""

    access: Access
    #: Effect of a missing permission, as the end of a sentence; ``None``: the worker needs it.
    otherwise: str | None = None


def leader_of(role: Role) -> str:
    """Return Faust's topic whose owner is the leader of the group."""
    return f"{role.group}-__assignor-__leader"


def topics_of(role: Role, settings: Settings) -> Sequence[NewTopic]:
    """Return every topic that a worker uses, with the configuration for creating it."""
    cluster = settings.cluster
    names = cluster.names
    shared = (*names.topics, names.votes) if role.votes else names.topics
    topics = [new_topic(cluster, name, cluster.partitions) for name in shared]
    own = [(changelog_of(role.group, table), cluster.partitions) for table in role.counted]
    if settings.stacks is not None and not role.is_jury:
        own.append((names.stacks_of(role.voter), 1))
    topics += [
        NewTopic(name, partitions, cluster.replicas, topic_configs=_COMPACTED)
        for name, partitions in own
    ]
    return [*topics, NewTopic(leader_of(role), 1, cluster.replicas)]


def groups_of(role: Role) -> Sequence[str]:
    """Return the groups that a worker uses."""
    return (role.group, recount_group(role.group)) if role.corrects else (role.group,)


def needs_of(role: Role, settings: Settings) -> Sequence[Need]:
    """Return the permissions that a worker needs, including the optional ones."""
    topic, group, names = Access.topic, Access.group, settings.cluster.names
    needs = [
        Need(group("Read", role.group)),
        Need(topic("Read", role.reads)),
        Need(topic("Read", leader_of(role))),
    ]
    if role.voter is not None:
        needs += [Need(topic("Write", names.votes)), Need(topic("Describe", names.labels))]
        needs += [Need(topic("Describe", names.rejected))]
    else:
        needs += [Need(topic(right, names.labels)) for right in ("Read", "Write")]
        needs += [Need(topic("Write", names.rejected))]
    if role.is_jury:
        needs += [Need(topic("Read", names.requests)), Need(topic("Write", names.votes))]
    for table in role.counted:
        needs += [
            Need(topic(right, changelog_of(role.group, table))) for right in ("Read", "Write")
        ]
    if settings.stacks is not None and not role.is_jury:
        needs += [Need(topic(right, names.stacks_of(role.voter))) for right in ("Read", "Write")]
    if settings.web_send:
        without = "no pictures can be sent over HTTP"
        needs += [Need(topic("Write", names.requests), without)]
        needs += [Need(topic("Read", name), without) for name in (names.labels, names.rejected)]
    if role.corrects:
        without = "the counts are not corrected by catdog-stream recount"
        needs += [Need(group("Describe", recount_group(role.group)), without)]
    return [need for number, need in enumerate(needs) if not _repeats(need, needs[:number])]


def _repeats(need: Need, before: Sequence[Need]) -> bool:
    return any(other.access == need.access for other in before)
