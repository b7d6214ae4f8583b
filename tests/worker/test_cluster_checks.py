"""Tests of the comparison of a cluster with the settings: facts in, findings out."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from aiokafka.errors import InvalidReplicationFactorError

from catdog_stream.kafka.cluster_facts import ClusterFacts, TopicFacts
from catdog_stream.kafka.explanations import Access, broker_error
from catdog_stream.kafka.security import Security
from catdog_stream.settings import Settings
from catdog_stream.worker.cluster_checks import Finding, Level, findings
from catdog_stream.worker.needs import topics_of
from catdog_stream.worker.roles import role_of
from tests.support.names import GROUP, LABELS, RECOUNT_GROUP, REJECTED, REQUESTS

SETTINGS = Settings(security=Security("sasl_ssl", username="alice"))
ROLE = role_of(SETTINGS)
EVERY_RIGHT = frozenset({"Read", "Write", "Describe", "DescribeConfigs"})
CONFIG = {
    "max.message.bytes": str(SETTINGS.max_answer_bytes),
    "retention.ms": str(7 * 24 * 60 * 60 * 1000),
    "cleanup.policy": "delete",
    "min.insync.replicas": "1",
    "message.timestamp.before.max.ms": str(2**63 - 1),
}
LOGS = (REQUESTS, LABELS, REJECTED)
GOOD = ClusterFacts(
    brokers=1,
    topics={
        topic.name: TopicFacts(
            8,
            config=CONFIG | ({} if topic.name in LOGS else {"cleanup.policy": "compact"}),
            rights=EVERY_RIGHT,
        )
        for topic in topics_of(ROLE, SETTINGS)
    },
    groups={GROUP: EVERY_RIGHT, RECOUNT_GROUP: EVERY_RIGHT},
)


def found(facts: ClusterFacts, settings: Settings = SETTINGS) -> list[Finding]:
    """Return the findings that are not OK."""
    told = findings(settings, role_of(settings), facts)
    return [finding for finding in told if finding.level is not Level.OK]


def with_topic(name: str, **changes: object) -> ClusterFacts:
    changed = replace(GOOD.topics[name], **changes)  # type: ignore[arg-type]
    return replace(GOOD, topics={**GOOD.topics, name: changed})


def with_config(name: str, **config: str) -> ClusterFacts:
    keys = {key.replace("_", "."): value for key, value in config.items()}
    return with_topic(name, config={**CONFIG, **keys})


def test_a_cluster_as_a_worker_makes_it_has_no_problem_and_a_line_for_each_topic() -> None:
    assert found(GOOD) == []
    lines = [str(finding) for finding in findings(SETTINGS, ROLE, GOOD)]
    assert lines[0] == "ok       rights    the user alice has the rights that this worker needs."
    assert (
        f"ok       topic     {LABELS}: 8 partitions, 1 copy, records up to 5,674,328 bytes, "
        "kept for 7 days." in lines
    )
    assert len(lines) == 1 + len(GOOD.topics)


@pytest.mark.parametrize(
    ("facts", "level", "part"),
    [
        (with_config(LABELS, max_message_bytes="2000"), Level.ERROR, "every good picture would be"),
        (with_config(LABELS, max_message_bytes="100000"), Level.WARNING, "larger ones are lost"),
        (with_config(REJECTED, max_message_bytes="100000"), Level.WARNING, "lose their picture"),
        (with_config(REQUESTS, max_message_bytes="1048588"), Level.WARNING, "CATDOG_MAX_IMAGE_"),
        (with_topic(LABELS, partitions=4), Level.WARNING, "4 partitions, fewer than catdogimage"),
        (with_topic(REJECTED, partitions=1), Level.WARNING, "1 partition, fewer than catdogimage"),
        (with_config(LABELS, cleanup_policy="compact"), Level.WARNING, "refuses records without"),
        (with_config(REQUESTS, cleanup_policy="compact,delete"), Level.WARNING, "is compacted"),
        (
            with_topic("catdog_stream-label_counts-changelog", config=CONFIG),
            Level.WARNING,
            "compact",
        ),
        (with_config(REQUESTS, retention_ms="60000"), Level.WARNING, "for 1 minute"),
        (
            with_config(LABELS, message_timestamp_before_max_ms="3600000"),
            Level.WARNING,
            "refuses records older than 1 hour",
        ),
        (with_config(LABELS, min_insync_replicas="2"), Level.ERROR, "nobody can write to it"),
        (with_topic(LABELS, rights={"Read", "Describe"}), Level.ERROR, "grant Write on the topic"),
        (with_topic(REQUESTS, rights={"Read"}), Level.WARNING, "no pictures can be sent over HTTP"),
        (
            replace(GOOD, groups={GROUP: (), RECOUNT_GROUP: EVERY_RIGHT}),
            Level.ERROR,
            "the user alice read the group catdog_stream: grant Read on the group catdog_stream",
        ),
        (
            replace(GOOD, groups={GROUP: EVERY_RIGHT, RECOUNT_GROUP: ()}),
            Level.WARNING,
            "not corrected by catdog-stream recount",
        ),
    ],
)
def test_each_problem_is_told_once(facts: ClusterFacts, level: Level, part: str) -> None:
    (finding,) = found(facts)
    assert finding.level is level
    assert part in finding.sentence


def test_a_hidden_topic_lacks_its_rights() -> None:
    topics = {name: facts for name, facts in GOOD.topics.items() if name != LABELS}
    told = found(replace(GOOD, topics=topics, hidden=[LABELS]))
    assert {finding.level for finding in told} == {Level.ERROR}
    assert [finding.sentence.split(":")[1] for finding in told] == [
        f" grant {right} on the topic {LABELS}." for right in ("Read", "Write")
    ]


def test_a_missing_topic_is_an_error_only_if_it_cannot_be_created() -> None:
    missing = replace(GOOD, topics={n: facts for n, facts in GOOD.topics.items() if n != LABELS})
    assert found(missing) == []
    error = broker_error(
        InvalidReplicationFactorError(), SETTINGS.cluster, Access.topic("Create", LABELS)
    )
    (finding,) = found(replace(missing, not_creatable={LABELS: error}))
    assert (finding.level, finding.sentence) == (Level.ERROR, error.message)


def test_a_missing_topic_that_others_create_is_named_with_its_configuration() -> None:
    missing = replace(GOOD, topics={n: facts for n, facts in GOOD.topics.items() if n != LABELS})
    (finding,) = found(missing, replace(SETTINGS, create_topics=False))
    assert finding.level is Level.ERROR
    assert finding.sentence.startswith(
        f"{LABELS} does not exist, and CATDOG_CREATE_TOPICS is off: create it with 8 partitions "
        "and max.message.bytes="
    )


def test_what_kafka_does_not_say_is_no_problem() -> None:
    topics: Mapping[str, TopicFacts] = {
        name: replace(facts, config=None, rights=None) for name, facts in GOOD.topics.items()
    }
    silent = replace(GOOD, topics=topics, groups=dict.fromkeys(GOOD.groups))
    assert found(silent) == []
    lines = [finding.sentence for finding in findings(SETTINGS, ROLE, silent)]
    assert "Kafka does not say which ones it has" in lines[0]
    assert all("the right DescribeConfigs is missing" in line for line in lines[1:])


def test_a_larger_picture_needs_a_larger_topic() -> None:
    larger = replace(SETTINGS, max_image_bytes=8 * 1024 * 1024)
    assert {finding.level for finding in found(GOOD, larger)} == {Level.WARNING}
    assert len(found(GOOD, larger)) == 3
