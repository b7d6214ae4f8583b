"""Checks of a cluster against the settings, before a worker takes its first request.

Pure functions: facts in, findings out. ``catdog-stream worker --check`` prints the findings, and
``worker.cluster_readiness`` delays a worker's start while there is an error. To add a check,
add a function to ``CHECKS``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from aiokafka.admin import NewTopic
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError

from catdog_stream.kafka.cluster_facts import ClusterFacts, TopicFacts
from catdog_stream.kafka.explanations import Access, broker_error
from catdog_stream.kafka.names import Names, changelog_of
from catdog_stream.kafka.topics import topic_configs
from catdog_stream.settings import ANSWER_OVERHEAD_BYTES, Settings
from catdog_stream.worker.needs import Need, needs_of, topics_of
from catdog_stream.worker.roles import Role

__all__ = ["CHECKS", "Check", "Finding", "Level", "findings"]

#: A producer sends labels in batches of 16 KiB, and Kafka adds the frame of each batch.
LEAST_ANSWER_BYTES = ANSWER_OVERHEAD_BYTES + 1024
HOUR_MS = 60 * 60 * 1000
DAY_MS = 24 * HOUR_MS
#: An outage may last this long; requests that Kafka deletes earlier are lost.
LEAST_RETENTION_MS = HOUR_MS
#: Kafka's "no limit" is the largest integer of 64 bits.
NO_LIMIT_MS = 2**62


class Level(StrEnum):
    """Weight of a finding."""

    OK = "ok"
    #: The worker runs, but some function does not work fully.
    WARNING = "warning"
    #: The worker does not start.
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one check, printed as one line."""

    level: Level
    #: Subject of the check: ``rights``, ``topic``.
    subject: str
    #: One or more sentences for people.
    sentence: str

    def __str__(self) -> str:
        """Return the line that is printed."""
        return f"{self.level:<8} {self.subject:<9} {self.sentence}"


@dataclass(frozen=True, slots=True)
class Check:
    """Input of every check."""

    settings: Settings
    role: Role
    facts: ClusterFacts

    @property
    def names(self) -> Names:
        """Names of the application's topics."""
        return self.settings.cluster.names


def findings(settings: Settings, role: Role, facts: ClusterFacts) -> Sequence[Finding]:
    """Return the findings of every check."""
    given = Check(settings, role, facts)
    return [finding for check in CHECKS for finding in check(given)]


def check_rights(given: Check) -> Iterator[Finding]:
    """Yield each permission that the user lacks."""
    user = given.settings.security.user
    unknown, lacking = False, False
    for need in needs_of(given.role, given.settings):
        has = _has(need.access, given.facts)
        unknown |= has is None
        if has is False:
            lacking = True
            yield _lacks(need, given)
    if not lacking:
        end = "; Kafka does not say which ones it has" if unknown else ""
        rights = "may have the rights" if unknown else "has the rights"
        yield Finding(Level.OK, "rights", f"{user} {rights} that this worker needs{end}.")


def _has(access: Access, facts: ClusterFacts) -> bool | None:
    """Return true if the user has a permission; ``None`` if Kafka does not report it."""
    (name,) = access.names
    if access.kind == "group":
        rights = facts.groups.get(name)
    elif name in facts.hidden:
        return False
    elif name not in facts.topics:
        return None  # the creator of a topic may lack permissions on it; unknown until it exists
    else:
        rights = facts.topics[name].rights
    return None if rights is None else access.right in rights


def _lacks(need: Need, given: Check) -> Finding:
    kind = (
        GroupAuthorizationFailedError
        if need.access.kind == "group"
        else TopicAuthorizationFailedError
    )
    sentence = broker_error(kind(), given.settings.cluster, need.access).message
    if need.otherwise is None:
        return Finding(Level.ERROR, "rights", sentence)
    return Finding(Level.WARNING, "rights", f"{sentence} Without it {need.otherwise}.")


def check_topics(given: Check) -> Iterator[Finding]:
    """Yield one line per topic: its record size, partitions, compaction and retention."""
    for topic in topics_of(given.role, given.settings):
        facts = given.facts.topics.get(topic.name)
        if facts is not None:
            yield Finding(Level.OK, "topic", f"{topic.name}: {_described(facts)}.")
        elif not given.settings.create_topics:
            yield Finding(
                Level.ERROR,
                "topic",
                f"{topic.name} does not exist, and CATDOG_CREATE_TOPICS is off: create it with "
                f"{_counted(topic.num_partitions, 'partition')}{_configured(topic)}.",
            )
        elif (refused := given.facts.not_creatable.get(topic.name)) is not None:
            yield Finding(Level.ERROR, "topic", refused.message)
        elif topic.name not in given.facts.hidden:
            number = _counted(topic.num_partitions, "partition")
            yield Finding(
                Level.OK, "topic", f"{topic.name}: does not exist; a worker creates it, {number}."
            )


def _configured(topic: NewTopic) -> str:
    options = [f"{name}={value}" for name, value in topic.topic_configs.items()]
    return f" and {', '.join(options)}" if options else ""


def _described(facts: TopicFacts) -> str:
    size = f"{_counted(facts.partitions, 'partition')}, {_copies(facts.replicas)}"
    config = facts.config
    if config is None:
        return f"{size}; its limits may not be looked at (the right DescribeConfigs is missing)"
    records = f"records up to {int(config['max.message.bytes']):,} bytes"
    if "delete" not in config["cleanup.policy"]:
        return f"{size}, {records}, compacted"
    compacted = ", compacted" if "compact" in config["cleanup.policy"] else ""
    size_limit = int(config.get("retention.bytes", -1))
    most = f", {size_limit:,} bytes of a partition" if size_limit >= 0 else ""
    return f"{size}, {records}{compacted}, kept {_time(int(config['retention.ms']))}{most}"


def check_sizes(given: Check) -> Iterator[Finding]:
    """Yield each topic that refuses records as large as the settings allow."""
    needed = topic_configs(given.settings.cluster)
    for name, limit in _numbers(given, "max.message.bytes"):
        if name not in needed or limit >= (wanted := needed[name]["max.message.bytes"]):
            continue
        takes = f"{name} takes records up to {limit:,} bytes"
        if name == given.names.requests:
            yield _warning(
                f"{takes}, and a picture of CATDOG_MAX_IMAGE_BYTES needs {wanted:,}: larger "
                "pictures are refused. Raise its max.message.bytes, or lower the setting."
            )
        elif limit < LEAST_ANSWER_BYTES:
            yield Finding(
                Level.ERROR,
                "topic",
                f"{takes}, too few for answers: every good picture would be rejected. Raise its "
                f"max.message.bytes to {wanted:,}.",
            )
        else:
            lost = (
                "rejections lose their picture"
                if name == given.names.rejected
                else "larger ones are lost"
            )
            yield _warning(
                f"{takes}, and an answer may have {wanted:,}: {lost}. Raise its max.message.bytes."
            )


def check_partitions(given: Check) -> Iterator[Finding]:
    """Yield each topic of answers with fewer partitions than the topic of requests."""
    topics = given.facts.topics
    if given.names.requests not in topics:
        return
    wanted = topics[given.names.requests].partitions
    for name in (given.names.labels, given.names.rejected):
        if name in topics and topics[name].partitions < wanted:
            yield _warning(
                f"{name} has {_counted(topics[name].partitions, 'partition')}, fewer than "
                f"{given.names.requests} with {wanted}: answers of several partitions share one, "
                "and whoever looks for an answer by its request's partition misses it. "
                f"Give it {wanted}."
            )


def check_cleanup(given: Check) -> Iterator[Finding]:
    """Yield each topic that is compacted and should not be, or vice versa."""
    compacted = {
        given.names.stacks_of(given.role.voter),
        *(changelog_of(given.role.group, table) for table in given.role.counted),
    }
    for name, facts in given.facts.topics.items():
        policy = (facts.config or {}).get("cleanup.policy")
        if policy is None:
            continue
        if (
            name
            in (given.names.requests, given.names.labels, given.names.rejected, given.names.votes)
            and "compact" in policy
        ):
            yield _warning(
                f"{name} is compacted: it refuses records without a key, and of those with the "
                "same key it keeps the last one alone. Set its cleanup.policy to delete."
            )
        elif name in compacted and policy != "compact":
            yield _warning(
                f"{name} is not compacted: what stands in it is forgotten. Set its cleanup.policy "
                "to compact."
            )


def check_retention(given: Check) -> Iterator[Finding]:
    """Yield each topic that deletes early, or refuses the timestamps of answers."""
    for name, kept in _numbers(given, "retention.ms"):
        policy = (given.facts.topics[name].config or {}).get("cleanup.policy", "")
        own = name in (
            given.names.requests,
            given.names.labels,
            given.names.rejected,
            given.names.votes,
        )
        if own and "delete" in policy and 0 <= kept < LEAST_RETENTION_MS:
            yield _warning(
                f"{name} keeps records {_time(kept)}: what is not read by then is lost. Raise its "
                "retention.ms."
            )
    kept = dict(_numbers(given, "retention.ms")).get(given.names.requests, -1)
    for name, before in _numbers(given, "message.timestamp.before.max.ms"):
        if name in (given.names.labels, given.names.rejected, given.names.votes) and (
            kept < 0 or before < kept
        ):
            times = (given.facts.topics[name].config or {}).get("message.timestamp.type")
            if times == "LogAppendTime" or before >= NO_LIMIT_MS:
                continue
            yield _warning(
                f"{name} refuses records older than {_length(before)}: an answer has the "
                "time of its request, which may be older. Raise its "
                "message.timestamp.before.max.ms."
            )


def check_copies(given: Check) -> Iterator[Finding]:
    """Yield each topic that nobody can write to: it has fewer replicas than it requires in sync."""
    for name, least in _numbers(given, "min.insync.replicas"):
        has = given.facts.topics[name].replicas
        if has < least:
            yield Finding(
                Level.ERROR,
                "topic",
                f"{name} has {_copies(has)}, and its min.insync.replicas is {least}: nobody can "
                "write to it. Lower the number, or have the cluster keep more copies.",
            )


#: Every check, in the order of the report.
CHECKS: tuple[Callable[[Check], Iterator[Finding]], ...] = (
    check_rights,
    check_topics,
    check_sizes,
    check_partitions,
    check_cleanup,
    check_retention,
    check_copies,
)


def _warning(sentence: str) -> Finding:
    return Finding(Level.WARNING, "topic", sentence)


def _numbers(given: Check, key: str) -> Iterator[tuple[str, int]]:
    """Yield each topic and the number that its configuration has for ``key``."""
    for name, facts in given.facts.topics.items():
        config: Mapping[str, str] = facts.config or {}
        if key in config:
            yield name, int(config[key])


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"


def _copies(number: int) -> str:
    return "1 copy" if number == 1 else f"{number} copies"


def _time(milliseconds: int) -> str:
    """Return a retention as text; in Kafka, -1 means no limit."""
    return "for good" if milliseconds < 0 else f"for {_length(milliseconds)}"


def _length(milliseconds: int) -> str:
    for unit, length in (("day", DAY_MS), ("hour", HOUR_MS), ("minute", 60_000), ("second", 1000)):
        if milliseconds >= 2 * length or milliseconds == length:
            return _counted(milliseconds // length, unit)
    return f"{milliseconds} ms"
