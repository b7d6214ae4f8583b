"""Tests of two voters and a jury under load and kills: one counted decision for each request.

The voters' models cost nothing and return configured scores. While a voter is dead for less than
the deadline, the results must be the same; while it is dead for longer, its vote is missing.
"""

import asyncio
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import orjson
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord

from catdog_stream.errors import Reason
from catdog_stream.kafka.cluster import grow
from catdog_stream.messages.votes import Vote
from catdog_stream.messages.wire import Source
from catdog_stream.models.verdict import Verdict
from catdog_stream.models.vote_rules import Ballot, decide
from catdog_stream.settings import Settings
from catdog_stream.testing.brokers import own_broker
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import Worker
from tests.support.client import Client, Message, header, request, strict_label
from tests.support.names import REQUESTS, VOTES

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CAT = {"a": 0.9, "b": 0.3}
#: Longer than it takes to notice a kill and start a worker: no vote may be missing.
PATIENT, HASTY = "120", "3"
SETTLED = 90.0
ADDED = 10


class VotingCluster:
    """Voting cluster: workers by name, which is the voter's name or the name of a jury member."""

    def __init__(self, address: str, folder: Path, stack: ExitStack) -> None:
        self.address = address
        self._folder = folder
        self._stack = stack
        self.workers: dict[str, Worker] = {}
        self.deadline = PATIENT

    def start(self, *names: str) -> None:
        """Start workers and wait until they are ready."""
        for name in names:
            settings = (
                {
                    "CATDOG_ROLE": "voter",
                    "CATDOG_VOTER": name,
                    "CATDOG_TEST_CAT": str(CAT[name]),
                }
                if name in CAT
                else {
                    "CATDOG_ROLE": "jury",
                    "CATDOG_VOTERS": "a, b",
                    "CATDOG_VOTE_DEADLINE": self.deadline,
                }
            )
            worker = Worker(
                self.address,
                self._folder,
                settings=settings,
                module="tests.support.voting_worker",
            )
            self.workers[name] = self._stack.enter_context(worker)
        for name in names:
            self.workers[name].wait_ready()

    def kill(self, name: str) -> None:
        """Send SIGKILL to a worker."""
        self.workers.pop(name).kill()

    def stop(self) -> None:
        """Send SIGTERM to all workers."""
        for name in list(self.workers):
            assert self.workers.pop(name).terminate() == 0

    def jury(self) -> list[Worker]:
        """Return the members of the jury."""
        return [worker for name, worker in self.workers.items() if name not in CAT]

    def metric(self, name: str) -> float:
        """Return the sum of a metric over the jury."""
        return sum(_metric(worker, name) for worker in self.jury())

    def prove(self, client: Client, sources: list[str]) -> None:
        """Check that each request has one kind of answer, counted once by jury and voters."""
        assert client.labels.keys() | client.rejected.keys() == set(sources)
        assert not client.labels.keys() & client.rejected.keys()
        truth = {"total": len(client.labels), "rejected": len(client.rejected)}
        _agree(self.jury(), lambda shown: {key: shown[key] for key in truth} == truth)
        for name in CAT:
            _agree(
                [self.workers[name]],
                lambda shown: shown["total"] + shown["rejected"] == len(sources),
            )


def _metric(worker: Worker, name: str) -> float:
    opener = build_opener(ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{worker.port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def _agree(workers: list[Worker], right: Callable[[dict[str, int]], bool]) -> None:
    def all_right() -> bool:
        shown = [worker.get("/labels/") for worker in workers]
        whole = {"asked": len(workers), "answered": len(workers)}
        return all(each["workers"] == whole and right(each) for each in shown)

    wait_until(
        all_right, f"the counts to be right: {[w.get('/labels/') for w in workers]}", SETTLED
    )


@pytest.fixture
def cluster(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VotingCluster]:
    """Yield a cluster on a broker of its own: voters vote on all requests of a broker."""
    with own_broker(tmp_path_factory.mktemp("broker")) as broker, ExitStack() as stack:
        yield VotingCluster(broker.address, tmp_path, stack)


def expected(record: ConsumerRecord) -> Verdict:
    """Return the decision of the voters that a label names in its votes."""
    votes = orjson.loads(header(record, "votes") or "")
    return decide(
        [
            Ballot(name, Verdict({"cat": CAT[name], "dog": 1 - CAT[name]}, "instant 1"))
            for name in CAT
            if "verdict" in votes.get(name, {})
        ]
    )


def check(client: Client, *, may_miss: bool) -> None:
    """Check the content of every label and every rejection."""
    for records in client.labels.values():
        for record in records:
            votes = orjson.loads(header(record, "votes") or "")
            missing = (header(record, "missing") or "").split(",")
            assert set(votes) | set(filter(None, missing)) == set(CAT)
            assert may_miss or votes.keys() == CAT.keys(), "none was dead for that long"
            verdict = expected(record)
            assert strict_label(record.value)["label"] == verdict.text
            assert header(record, "verdict") == verdict.label
            assert header(record, "stack") == verdict.stack
        # A second decision, after a crash, is equal to the first.
        assert len({(record.value, record.headers) for record in records}) == 1
    for records in client.rejected.values():
        for record in records:
            assert header(record, "reason") in (Reason.NOT_AN_IMAGE, Reason.NOT_JSON)


class Load:
    """Requests that are sent while the block runs."""

    def __init__(self, client: Client, luck: random.Random) -> None:
        self._client = client
        self._luck = luck
        self.sources: list[str] = []

    async def __aenter__(self) -> "Load":
        self._ended = asyncio.Event()
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ended.set()
        await self._task

    async def _run(self) -> None:
        pictures = [b"x"] * 20 + [b"bad", b"bad for a", b"bad for b"]
        while not self._ended.is_set():
            messages = [Message(request(self._luck.choice(pictures))) for _ in range(10)]
            if self._luck.random() < 0.1:
                messages.append(Message(b"nonsense"))
            self.sources += await self._client.send(messages)
            await asyncio.sleep(0.1)


@pytest.mark.long
def test_nothing_is_lost_or_counted_twice_while_voters_and_jury_are_killed(
    cluster: VotingCluster,
) -> None:
    seed = int(os.environ.get("CATDOG_TEST_SEED", time.time_ns() % 10_000))
    print(f"CATDOG_TEST_SEED={seed}")
    luck = random.Random(seed)

    async def patient(client: Client, sources: list[str]) -> None:
        async with Load(client, luck) as load:
            await asyncio.sleep(luck.uniform(0.5, 3))
            cluster.kill("b")
            # Now votes are pending, and the jury is killed with them.
            await asyncio.to_thread(
                wait_until, lambda: cluster.metric("catdog_requests_undecided") > 0, "votes to wait"
            )
            await asyncio.sleep(luck.uniform(0, 1))
            cluster.kill("jury")
            await asyncio.to_thread(cluster.start, "b", "jury")
            await asyncio.to_thread(cluster.start, "second")  # under load, too
            await asyncio.sleep(luck.uniform(0.5, 3))
            cluster.kill(luck.choice(["jury", "second"]))
        sources += load.sources
        await client.answers(sources, 90)
        check(client, may_miss=False)
        await asyncio.to_thread(cluster.prove, client, sources)

    async def hasty(client: Client, sources: list[str]) -> None:
        async with Load(client, luck) as load:
            await asyncio.sleep(luck.uniform(0.5, 2))
            cluster.kill("b")
            missing = await client.send([Message(request(b"x"))])
            await client.answers(missing, 30)
            (record, *_) = client.labels[missing[0]]
            assert header(record, "missing") == "b"
            assert header(record, "verdict") == "cat"
            cluster.kill("jury")
            await asyncio.to_thread(cluster.start, "b", "jury")
        sources += load.sources + missing
        await client.answers(sources, 90)
        check(client, may_miss=True)
        await asyncio.to_thread(cluster.prove, client, sources)
        # The voter has voted too late, on requests that were decided without it; those votes are
        # dropped.
        assert cluster.metric('catdog_votes_read_total{fate="late",voter="b"}') > 0
        whole = await client.send([Message(request(b"x"))])
        await client.answers(whole, 30)
        assert header(client.labels[whole[0]][0], "missing") is None
        sources += whole
        # The topic of requests gets more partitions, and so does the topic of votes.
        await grow(Settings(broker=f"kafka://{cluster.address}").cluster, REQUESTS, ADDED)
        await client.producer.client.force_metadata_update()
        added = await client.send(
            [Message(request(b"x"), partition=number) for number in range(ADDED)]
        )
        await client.answers(added, 60)
        sources += added

    async def scenario() -> None:
        sources: list[str] = []
        async with Client(cluster.address) as client:
            await patient(client, sources)
            await asyncio.to_thread(cluster.stop)
            cluster.deadline = HASTY
            await asyncio.to_thread(cluster.start, "a", "b", "jury")
            await hasty(client, sources)
            await asyncio.to_thread(cluster.prove, client, sources)
            twice = sum(len(records) - 1 for records in client.labels.values())
            print(f"{len(sources)} requests, {twice} labels published twice")

    cluster.start("a", "b", "jury")
    asyncio.run(scenario())
    cluster.stop()


def test_votes_that_a_client_makes_up_have_no_request_forgotten(
    cluster: VotingCluster,
) -> None:
    """Forge votes on future requests, and votes that skip requests."""
    cluster.deadline = HASTY

    def forged(voter: str, offset: int) -> bytes:
        vote = Vote(voter, Source("catdogimage", 0, offset), Verdict({"x": 1.0, "y": 0.0}, "x 1"))
        return vote.dump()

    async def scenario() -> None:
        async with Client(cluster.address) as client:
            await client.answers(await client.send([Message(request(b"x"), partition=0)]))
            for value in (
                *(forged(voter, offset) for voter in ("a", "b") for offset in (1, 5, 10**15)),
                *(b"nonsense", b"", b"[]", forged("c", 0), forged("a", 0)),
            ):
                await client.producer.send_and_wait(VOTES, value, partition=0)
            await client.producer.send_and_wait(VOTES, None, key=b"key", partition=0)
            await client.producer.send_and_wait(VOTES, forged("a", 0), partition=1)
            messages = [Message(request(b"x"), partition=n % 2) for n in range(40)]
            # Between these are transaction markers and uncommitted records.
            sources = await client.send(messages) + await transactions(cluster.address)
            await client.answers(sources, 60)
            assert all(len(records) == 1 for records in client.labels.values())
            truth = len(client.labels)
            _agree(cluster.jury(), lambda shown: shown["total"] == truth)
            assert {header(r[0], "verdict") for r in client.labels.values()} <= {"cat", "x"}

    cluster.start("a", "b", "jury")
    asyncio.run(scenario())
    worker = cluster.jury()[0]
    assert worker.get("/readyz") == {"ready": True, "problems": []}
    assert _metric(worker, 'catdog_votes_read_total{fate="unreadable"') == 5
    assert _metric(worker, 'catdog_votes_read_total{fate="stranger"') == 1
    cluster.stop()


async def transactions(address: str) -> list[str]:
    """Return the sources of requests in committed transactions, mixed with aborted ones."""
    sources = []
    async with AIOKafkaProducer(
        bootstrap_servers=address, transactional_id="voting", enable_idempotence=True
    ) as producer:
        for number in range(10):
            await producer.begin_transaction()
            sent = [
                await producer.send_and_wait("catdogimage", request(b"x"), partition=0)
                for _ in range(3)
            ]
            if number % 2:
                await producer.abort_transaction()
            else:
                await producer.commit_transaction()
                sources += [f"{each.topic}/{each.partition}/{each.offset}" for each in sent]
    return sources
