"""Tests of the vote join: in the order of requests, with repeated, late and missing votes."""

import random
from collections import defaultdict
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.messages.votes import Vote
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.voting.vote_join import MAX_CLOSED, VoteJoin, VoteStatus
from tests.pipeline.voting.votes import vote

DEADLINE = 10.0
VOTERS = ("a", "b")


def join(first: int | None = 0) -> VoteJoin[int]:
    return VoteJoin(VOTERS, deadline=DEADLINE, first=first)


class TestWhenARequestIsDecided:
    def test_at_once_when_all_votes_are_in(self) -> None:
        it = join()
        it.add(vote("b", 0), 0, now=1.0)
        assert not it.is_ready
        it.add(vote("a", 0), 1, now=2.0)
        assert it.is_ready
        decision = it.take()
        assert [each.voter for each in decision.votes] == ["a", "b"]
        assert decision.missing == ()

    def test_without_the_others_when_the_log_says_that_the_deadline_has_passed(self) -> None:
        it = join()
        it.add(vote("b", 0), 0, now=1.0)
        assert it.next_deadline() == 1.0 + DEADLINE
        assert it.overdue(10.9) == []
        assert it.overdue(11.0) == [0]
        assert it.overdue(11.0) == [], "it is said once"
        assert not it.is_ready
        it.close([0])
        assert it.is_ready
        assert it.add(vote("a", 0), 1, now=11.0) is VoteStatus.LATE
        assert it.take().missing == ("a",)

    def test_in_the_order_of_the_requests(self) -> None:
        it = join()
        it.add(vote("a", 0), 0, now=1.0)
        it.add(vote("a", 1), 1, now=2.0)
        it.add(vote("b", 1), 2, now=3.0)  # complete, and waits for the request before it
        assert not it.is_ready
        it.close([0])
        it.take()
        assert it.is_ready

    def test_not_at_all_when_nobody_has_voted(self) -> None:
        it = join()
        it.close([0, 1, 2])
        assert (it.is_ready, it.next_deadline(), it.overdue(100.0)) == (False, None, [])

    def test_no_record_says_so_of_more_than_it_has_room_for(self) -> None:
        it = join()
        for offset in range(MAX_CLOSED + 5):
            it.add(vote("a", offset), offset, now=0.0)
        assert len(it.overdue(DEADLINE)) == MAX_CLOSED
        assert len(it.overdue(DEADLINE)) == 5

    def test_what_was_decided_is_not_kept_until_its_deadline(self) -> None:
        it = join()
        for offset in range(1000):
            for voter in VOTERS:
                it.add(vote(voter, offset), 0, now=0.0, size=100)
            it.take()
            it.settle(offset)
        assert not it._arrived
        assert it.bytes == 0

    def test_nor_are_its_votes_behind_one_that_came_first_and_waits(self) -> None:
        it = join()
        it.add(vote("a", 5000), 0, now=0.0)
        for offset in range(1000):
            for voter in VOTERS:
                it.add(vote(voter, offset), 0, now=0.0)
            it.take()
        assert [len(each.votes) for each in it._arrived] == [1] + [0] * 1000


class TestWhatBecomesOfAVote:
    def test_one_on_a_decided_request_is_late(self) -> None:
        it = join(first=5)
        assert it.add(vote("a", 4), 0, now=0.0) is VoteStatus.LATE
        assert it.free() == [0]

    def test_the_first_of_a_voter_counts(self) -> None:
        it = join()
        it.add(vote("a", 0, cat=0.9), 0, now=0.0)
        assert it.add(vote("a", 0, cat=0.1), 1, now=0.0) is VoteStatus.REPEATED
        it.add(vote("b", 0), 2, now=0.0)
        answer = it.take().votes[0].answer
        assert isinstance(answer, Verdict)
        assert answer.scores["cat"] == 0.9
        assert it.settle(0) == [2], "the last one stands for those before it"

    def test_nobody_waits_for_a_stranger(self) -> None:
        it = join()
        assert it.add(vote("c", 0), 0, now=0.0) is VoteStatus.UNEXPECTED
        assert it.free() == [0]
        assert it.head is None

    def test_it_is_acknowledged_behind_all_that_still_matter(self) -> None:
        it = join()
        for token, (voter, offset) in enumerate([("a", 0), ("a", 1), ("b", 0), ("b", 1)]):
            it.add(vote(voter, offset), token, now=0.0)
        it.pass_over(4)
        assert it.free() == []
        it.take()
        it.take()
        assert it.settle(0) == [0]  # the next one waits for request 1
        assert it.settle(1)[-1] == 4

    def test_votes_on_a_request_that_there_is_not_are_forgotten(self) -> None:
        it = join()
        it.add(vote("a", 10**15), 0, now=0.0)
        it.drop()
        assert it.free() == [0]
        assert (it.head, it.first, it.bytes) == (None, 0, 0)

    def test_it_is_measured_until_it_is_decided_and_acknowledged(self) -> None:
        it = join()
        it.add(vote("a", 1), 0, now=0.0, size=10)
        it.add(vote("b", 0), 1, now=0.0, size=5)
        assert it.bytes == 30, "the record, and what was read from it"
        it.close([0])
        it.take()
        assert it.bytes == 25, "its record stands behind one that waits"
        assert it.settle(0) == []
        it.close([1])
        it.take()
        it.settle(1)
        assert it.bytes == 0

    def test_what_nothing_waits_for_costs_nothing_behind_one_that_waits(self) -> None:
        it = join(first=5)
        it.add(vote("a", 6), 0, now=0.0, size=10)
        it.close([6])
        others = (vote("a", 6), vote("b", 6), vote("a", 4), vote("c", 7))
        for token, each in enumerate(others * 100):
            it.add(each, token, now=0.0, size=10)
            it.pass_over(token, size=10)
        assert it.bytes == 20
        it.take()
        assert it.settle(6) == [399]

    def test_what_was_decided_costs_nothing_behind_one_that_waits(self) -> None:
        it = join()
        it.add(vote("a", 10**6), 0, now=0.0, size=10)
        for offset in range(10**4):
            it.add(vote("b", offset), offset + 1, now=0.0, size=10)
            it.close([offset])
            it.take()
            assert it.settle(offset) == []
        assert it.bytes < 10**5 / 2
        it.close([10**6])
        it.take()
        assert it.settle(10**6)[-1] == 10**4
        assert it.bytes == 0

    def test_what_stood_behind_one_on_no_request_still_waits_for_its_own(self) -> None:
        it = join()
        it.add(vote("a", 0), 0, now=0.0)
        it.close([0])
        it.add(vote("a", 10**15), 1, now=0.0)
        it.take()
        it.pass_over(2)
        it.drop()
        assert it.free() == []
        assert it.settle(0)[-1] == 2
        assert it.bytes == 0


@dataclass
class Scenario:
    """Jury that dies and starts again over a log of votes, as Kafka stores it."""

    #: Votes, and the requests whose deadline had passed, in the order of the log.
    log: list[Vote | list[int]]
    #: Highest position that was ever read: later records are written behind it.
    read: int = 0
    committed: int = 0
    first: int | None = None
    #: Counted requests, as the table has them at the last commit.
    counted: list[int] = field(default_factory=list)
    #: All published decisions, by request.
    decisions: dict[int, set[tuple[str, ...]]] = field(default_factory=lambda: defaultdict(set))

    def live(self, luck: random.Random, *, until_the_end: bool) -> None:
        """Read from the last commit, decide, settle, commit at random, and die."""
        join: VoteJoin[int] = VoteJoin(VOTERS, deadline=DEADLINE, first=self.first)
        now, place, acknowledged = 0.0, self.committed, self.committed
        publishing: list[int] = []
        counted = list(self.counted)
        while until_the_end or luck.random() > 0.02:
            now += luck.random() * DEADLINE / 4
            step = luck.random()
            if step < 0.4 and place < len(self.log):
                record = self.log[place]
                if isinstance(record, Vote):
                    join.add(record, place, now)
                else:
                    join.pass_over(place)
                    join.close(record)
                place += 1
                self.read = max(self.read, place)
            elif step < 0.6 and (overdue := join.overdue(now)):
                # The marker may come before or after later votes of a slow voter.
                self.log.insert(luck.randint(self.read, len(self.log)), overdue)
            elif step < 0.8 and join.is_ready:
                head = join.head
                assert head is not None
                publishing.append(head.offset)
                self.decisions[head.offset].add(join.take().missing)
            elif step < 0.95 and publishing:
                offset = publishing.pop(0)
                assert offset not in counted
                counted.append(offset)
                for token in join.settle(offset):
                    assert token >= acknowledged, "acknowledged out of order"
                    acknowledged = token + 1
            else:
                for token in join.free():
                    assert token >= acknowledged
                    acknowledged = token + 1
                self.counted, self.committed = list(counted), acknowledged
                self.first = counted[-1] + 1 if counted else None
            done = place == len(self.log) and not publishing and join.head is None
            if done and self.committed == len(self.log):
                return


@given(st.integers(0, 2**32), st.integers(0, 12), st.integers(0, 12))
def test_each_request_is_decided_in_one_way_however_often_jury_and_voters_die(
    seed: int, of_a: int, of_b: int
) -> None:
    luck = random.Random(seed)
    offsets = sorted(luck.sample(range(30), 12))  # transaction markers lie between them
    votes = interleaved(luck, {"a": offsets[:of_a], "b": offsets[:of_b]})
    scenario = Scenario(list(votes), first=0)
    for _ in range(5):
        scenario.live(luck, until_the_end=False)
    scenario.live(luck, until_the_end=True)
    voted = defaultdict(set)
    for each in votes:
        voted[each.source.offset].add(each.voter)
    assert scenario.counted == sorted(voted)
    assert scenario.committed == len(scenario.log)
    for offset, voters in voted.items():
        (missing,) = scenario.decisions[offset]
        assert set(missing) >= set(VOTERS) - voters


def interleaved(luck: random.Random, progress: dict[str, list[int]]) -> list[Vote]:
    """Return the log: each voter in its order, with repeated votes after each of its crashes."""
    queues = {}
    for voter, offsets in progress.items():
        queue = list(offsets)
        for _ in range(luck.randrange(3)):
            end = luck.randrange(len(queue) + 1)
            queue = queue[:end] + queue[max(0, end - luck.randrange(4)) :]
        queues[voter] = queue
    log = []
    while any(queues.values()):
        voter = luck.choice([name for name, queue in queues.items() if queue])
        log.append(vote(voter, queues[voter].pop(0)))
    return log
