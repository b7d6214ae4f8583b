"""Tests of each role, command and agent with exactly the rights that docs/security.md lists."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from aiokafka.admin import NewTopic
from confluent_kafka import Consumer

from catdog_stream.kafka.cluster import create
from catdog_stream.settings import Settings
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import Worker
from tests.support import examples
from tests.support.command import Command
from tests.support.pictures import LOOKING, sample_files
from tests.support.rights import documented, grant
from tests.support.secured import HOST, create_all, secured_kafka, set_password
from tests.support.stacks import SECOND

pytestmark = [pytest.mark.integration, pytest.mark.long]

SECONDS = 60.0
SAMPLE = str(sample_files()[0])


class Cluster:
    """Cluster with a user for each role, created when the role is needed."""

    def __init__(self, plain: str, secured: str) -> None:
        self.plain, self.address = plain, secured

    def user(self, who: str, name: str = "") -> dict[str, str]:
        """Return the settings of a user with the rights that are listed for ``who``."""
        user = f"{who}-{name}".replace(" ", "-").lower()
        set_password(self.plain, user, user)
        grant(self.plain, user, documented(f"{who} NAME" if name else who, name))
        return {
            "CATDOG_BROKER": f"kafka://{self.address}",
            "CATDOG_SECURITY": "sasl_plaintext",
            "CATDOG_SASL_MECHANISM": "SCRAM-SHA-512",
            "CATDOG_SASL_USERNAME": user,
            "CATDOG_SASL_PASSWORD": user,
        }


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with secured_kafka(tmp_path_factory.mktemp("kafka")) as listeners:
        yield Cluster(
            f"{HOST}:{listeners.plain_port}", f"{HOST}:{listeners.port('SASL_PLAINTEXT')}"
        )


def made(cluster: Cluster, **settings: str) -> None:
    """Create the topics of a worker with the settings, as an administrator of the cluster does."""
    environment = {"CATDOG_BROKER": f"kafka://{cluster.plain}", **settings}
    asyncio.run(create_all(Settings.from_environment(environment)))


def run(settings: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "catdog_stream", *arguments],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_voters_and_a_jury_decide_and_watch_shows_it(cluster: Cluster, tmp_path: Path) -> None:
    roles = {
        "a": {"CATDOG_ROLE": "voter", "CATDOG_VOTER": "a"},
        "b": {"CATDOG_ROLE": "voter", "CATDOG_VOTER": "b"},
        "jury": {"CATDOG_ROLE": "jury", "CATDOG_VOTERS": "a,b"},
    }
    with ExitStack() as stack:
        workers = []
        for name, settings in roles.items():
            made(cluster, **settings)
            user = cluster.user("jury") if name == "jury" else cluster.user("voter", name)
            worker = Worker(
                cluster.address,
                tmp_path,
                settings={**user, **settings, "CATDOG_TEST_CAT": "0.9"},
                module="tests.support.voting_worker",
            )
            workers.append(stack.enter_context(worker))
        for worker in workers:
            worker.wait_ready()
            assert not worker.get("/readyz").get("warnings")
        watching = stack.enter_context(
            Command(
                [sys.executable, "-m", "catdog_stream", "watch", "--from-beginning"],
                {**os.environ, **cluster.user("watch")},
                tmp_path,
            )
        )
        sent = run(cluster.user("send"), "send", "--wait", SAMPLE)
        assert sent.returncode == 0, sent.stderr
        assert "cat" in sent.stdout
        wait_until(lambda: " cat" in watching.output(), "watch to show the label", SECONDS)
        for worker in workers:
            assert worker.terminate() == 0
            assert "Traceback" not in worker.log.read_text()


def test_stacks_use_has_a_worker_take_over(cluster: Cluster, tmp_path: Path) -> None:
    stacks = {"CATDOG_STACKS": str(tmp_path)}
    made(cluster, **stacks)
    with Worker(cluster.address, tmp_path, settings={**cluster.user("worker"), **stacks}) as worker:
        worker.wait_ready()
        used = run({**cluster.user("stacks use"), **stacks}, "stacks", "use", str(SECOND))
        assert used.returncode == 0, used.stdout + used.stderr


def test_reclassify_labels_and_compares(cluster: Cluster) -> None:
    made(cluster)
    again = NewTopic("again", 8, 1)
    asyncio.run(create(Settings(broker=f"kafka://{cluster.plain}").cluster, [again]))
    sent = run({"CATDOG_BROKER": f"kafka://{cluster.plain}"}, "send", SAMPLE)
    assert sent.returncode == 0, sent.stderr
    options = ("--stack", "tests.support.python_classes:First", "--to", "again", "--compare")
    done = run(cluster.user("reclassify", "again"), "reclassify", "--since", "1h", *options)
    assert done.returncode == 0, done.stderr
    assert re.match(r"Wrote [1-9]\d* labels of first 1 to again, ", done.stdout), done.stdout


def test_an_agent_of_ones_own_reads_on_without_the_right_to_create(
    cluster: Cluster, tmp_path: Path
) -> None:
    made(cluster)
    leader = NewTopic("cats-__assignor-__leader", 1, 1)
    labelled = NewTopic("cats", 8, 1)
    asyncio.run(create(Settings(broker=f"kafka://{cluster.plain}").cluster, [leader, labelled]))
    user = cluster.user("PipelineApp", "cats")
    grant(
        cluster.plain,
        user["CATDOG_SASL_USERNAME"],
        [("topic", "catdoglabel", "Read"), ("topic", "cats", "Write")],
    )
    (tmp_path / "cats.py").write_text(examples.CATS)
    with (
        Command(
            [sys.executable, "cats.py", "worker", "-l", "info"], {**os.environ, **user}, tmp_path
        ) as agent,
        Worker(
            cluster.address, tmp_path, settings=cluster.user("worker"), module=LOOKING
        ) as worker,
    ):
        worker.wait_ready()
        sent = run(cluster.user("send"), "send", "--wait", SAMPLE)
        assert sent.returncode == 0, sent.stderr
        assert re.search(r"cat \d", sent.stdout), sent.stdout
        reader = Consumer(
            {
                "bootstrap.servers": cluster.plain,
                "group.id": "reader",
                "auto.offset.reset": "earliest",
            }
        )
        reader.subscribe(["cats"])
        passed = reader.poll(SECONDS)
        reader.close()
        assert passed is not None, agent.output()
        assert passed.error() is None
        assert agent.process.poll() is None
        assert "Traceback" not in agent.output()
