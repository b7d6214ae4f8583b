"""Tests of a user who may not see a topic: the message says so, and not that it is empty."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

from catdog_stream.broker import LocalKafka
from catdog_stream.delivery.recount import Recount
from catdog_stream.delivery.replay import Replay
from catdog_stream.errors import BrokerError, Reason, RejectedRequest
from catdog_stream.kafka.cluster import create_topics
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.deployments import rollout_state
from catdog_stream.kafka.lookup import lookup
from catdog_stream.kafka.replies import replies
from catdog_stream.kafka.request_reader import RequestReader
from catdog_stream.kafka.rollout_status import running
from catdog_stream.messages.wire import Source
from catdog_stream.settings import Settings
from catdog_stream.testing.answered import publish_answers
from catdog_stream.testing.ports import free_ports
from tests.support.names import LABELS, REJECTED, REQUESTS

pytestmark = [pytest.mark.integration, pytest.mark.long]

USER, PASSWORD = "alice", "horse-battery-staple"
LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
SECONDS = 60


class Guarded:
    """Broker with two listeners: one allows everything, the other checks rights."""

    def __init__(self, folder: Path) -> None:
        port, controller, self._port = free_ports(3)
        listeners = {"PLAINTEXT": port, "GUARDED": self._port, "CONTROLLER": controller}
        at = {name: f"{name}://127.0.0.1:{number}" for name, number in listeners.items()}
        self.kafka = LocalKafka(
            port,
            folder,
            controller_port=controller,
            extra={
                "listeners": ",".join(at.values()),
                "advertised.listeners": f"{at['PLAINTEXT']},{at['GUARDED']}",
                "listener.security.protocol.map": (
                    "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,GUARDED:SASL_PLAINTEXT"
                ),
                "sasl.enabled.mechanisms": "PLAIN",
                "listener.name.guarded.plain.sasl.jaas.config": (
                    f'{LOGIN} user_{USER}="{PASSWORD}";'
                ),
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users": "User:ANONYMOUS",
            },
        )

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings of the user without rights."""
        return {
            "CATDOG_BROKER": f"kafka://127.0.0.1:{self._port}",
            "CATDOG_SECURITY": "sasl_plaintext",
            "CATDOG_SASL_MECHANISM": "PLAIN",
            "CATDOG_SASL_USERNAME": USER,
            "CATDOG_SASL_PASSWORD": PASSWORD,
        }

    def allow(self, kind: ResourceType, name: str, operation: AclOperation) -> None:
        """Give the user a right."""
        admin = AdminClient({"bootstrap.servers": self.kafka.address})
        binding = AclBinding(
            kind,
            name,
            ResourcePatternType.LITERAL,
            f"User:{USER}",
            "*",
            operation,
            AclPermissionType.ALLOW,
        )
        for done in admin.create_acls([binding]).values():
            done.result(SECONDS)

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run ``catdog-stream`` as the user."""
        return subprocess.run(
            [sys.executable, "-m", "catdog_stream", *arguments],
            env={**os.environ, **self.settings, **settings},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    guarded = Guarded(tmp_path_factory.mktemp("guarded"))
    with guarded.kafka:
        cluster = Settings(broker=f"kafka://{guarded.kafka.address}").cluster
        rejection = RejectedRequest(Reason.NOT_AN_IMAGE, "It is none.")
        asyncio.run(publish_answers(cluster, [rejection, {"cat": 0.9, "dog": 0.1}]))
        yield guarded


def test_a_user_without_any_right_gets_one_sentence(guarded: Guarded) -> None:
    answer = guarded.run("replay", "--dry-run")
    assert answer.returncode == 1, answer.stdout
    assert answer.stdout == ""
    assert answer.stderr.count("\n") == 1, answer.stderr
    assert REJECTED in answer.stderr


async def _find(cluster: ClusterConfig) -> object:
    async with lookup(cluster) as finder:
        return await finder.find(Source(REQUESTS, 0, 0))


async def _read(cluster: ClusterConfig) -> object:
    async with RequestReader(cluster) as reader:
        return await reader.of(Source(REQUESTS, 0, 0))


async def _listen(cluster: ClusterConfig) -> object:
    async with replies(cluster):
        return None


@pytest.mark.parametrize(
    ("look", "topic"),
    [
        (_find, REQUESTS),
        (_read, REQUESTS),
        (_listen, LABELS),
        (create_topics, REQUESTS),
        (rollout_state, "catdogstack"),
        (lambda cluster: Recount(cluster).look(), LABELS),
        (lambda cluster: Replay(cluster, Settings().request_parser).run(asyncio.Event()), REJECTED),
    ],
)
def test_nothing_is_not_found_in_a_topic_that_is_hidden(
    guarded: Guarded, look: Callable[[ClusterConfig], Coroutine[Any, Any, object]], topic: str
) -> None:
    cluster = Settings.from_environment(guarded.settings).cluster
    with pytest.raises(BrokerError, match=topic):
        asyncio.run(look(cluster))


def test_whoever_may_see_the_rejected_requests_but_not_read_them_is_refused(
    guarded: Guarded,
) -> None:
    """Run this test after the others: rights are only added."""
    for topic in (REQUESTS, REJECTED, "catdogimage-replayed"):
        guarded.allow(ResourceType.TOPIC, topic, AclOperation.DESCRIBE)
    answer = guarded.run("replay", "--dry-run")
    assert answer.returncode == 1, answer.stdout
    assert answer.stdout == ""
    guarded.allow(ResourceType.TOPIC, REJECTED, AclOperation.READ)
    answer = guarded.run("replay", "--dry-run")
    assert answer.returncode == 0, answer.stderr
    assert "not_an_image" in answer.stdout


def test_a_group_that_may_not_be_seen_is_not_one_without_members(guarded: Guarded) -> None:
    cluster = Settings.from_environment(guarded.settings).cluster
    with pytest.raises(BrokerError, match="describe the group"):
        asyncio.run(running(cluster))
    with pytest.raises(BrokerError, match="describe the group"):
        asyncio.run(Recount(cluster).workers())
