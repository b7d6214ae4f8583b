"""Tests of the vote ingester: it adds records to their partition's join and skips others."""

import pytest

from catdog_stream import metrics
from catdog_stream.messages.votes import DeadlineMarker, Vote
from catdog_stream.messages.wire import Source
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.outcome import Outcome
from catdog_stream.pipeline.voting.partition_state import VoteRecord
from catdog_stream.pipeline.voting.vote_ingester import MAX_UNEXPECTED, VoteIngester
from catdog_stream.pipeline.voting.vote_join import VoteJoin

TOPIC = "catdogimage"
PARTITION = 3


def join() -> VoteJoin[VoteRecord]:
    return VoteJoin(("a", "b"), deadline=10.0, first=0)


def ingester() -> VoteIngester:
    return VoteIngester(TOPIC, lambda: 7.0)


def vote_record(value: bytes | None) -> VoteRecord:
    async def acknowledge() -> None: ...

    def count(_offset: int, _outcome: Outcome) -> None: ...

    return VoteRecord(PARTITION, value, lambda: True, count, acknowledge)


def vote(voter: str, topic: str = TOPIC, partition: int = PARTITION) -> VoteRecord:
    verdict = Verdict({"cat": 1.0, "dog": 0.0}, "x 1")
    return vote_record(Vote(voter, Source(topic, partition, 0), verdict).dump())


def read(voter: str, fate: str) -> float:
    return float(metrics.VOTES_READ.labels(voter, fate)._value.get())


def test_a_vote_is_held_and_measured() -> None:
    it = join()
    before = read("a", "held")
    ingester().enter(vote("a"), it)
    assert it.head is not None
    assert (list(it.head.votes), it.head.since) == (["a"], 7.0)
    assert it.bytes > 2 * 700
    assert it.free() == []
    assert read("a", "held") == before + 1


@pytest.mark.parametrize(
    "record",
    [
        vote_record(None),
        vote_record(b""),
        vote_record(b"nonsense"),
        vote("a", topic="other"),
        vote("a", partition=PARTITION + 1),
    ],
)
def test_what_is_no_vote_or_stands_in_the_wrong_place_is_passed_over(record: VoteRecord) -> None:
    it = join()
    before = read("other", "unreadable")
    ingester().enter(record, it)
    assert it.free() == [record]
    assert (len(it), it.bytes) == (0, 0)
    assert read("other", "unreadable") == before + 1


def test_a_closing_says_that_deadlines_have_passed() -> None:
    it, closing = join(), vote_record(DeadlineMarker(TOPIC, PARTITION, (0,)).dump())
    before = read("other", "unreadable")
    for record in (vote("a"), closing):
        ingester().enter(record, it)
    assert it.is_ready
    it.take()
    assert it.settle(0) == [closing]
    assert read("other", "unreadable") == before


@pytest.mark.parametrize("where", [("other", PARTITION), (TOPIC, PARTITION + 1)])
def test_no_closing_of_another_place_is_believed(where: tuple[str, int]) -> None:
    it = join()
    for record in (vote("a"), vote_record(DeadlineMarker(*where, (0,)).dump())):
        ingester().enter(record, it)
    assert not it.is_ready


class TestAVoterThatNobodyExpects:
    def test_is_told_of_once(self, caplog: pytest.LogCaptureFixture) -> None:
        it, before = ingester(), read("other", "stranger")
        for voter in ("c", "c", "a", "d", "c"):
            it.enter(vote(voter), join())
        assert caplog.messages == [
            f"The votes of {voter} are not counted: it is not expected." for voter in ("c", "d")
        ]
        assert read("other", "stranger") == before + 4, "whatever it calls itself"

    def test_is_not_told_of_where_there_are_many(self, caplog: pytest.LogCaptureFixture) -> None:
        it = ingester()
        for number in range(MAX_UNEXPECTED + 5):
            it.enter(vote(f"stranger-{number}"), join())
        assert len(caplog.messages) == MAX_UNEXPECTED
