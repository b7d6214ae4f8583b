"""Tests of pending acknowledgements: a record waits for all earlier ones that still matter."""

from catdog_stream.pipeline.voting.pending_acks import LEAST_TIDIED, NOTHING, PendingAcks


def log(*requests: int, first: int | None = 0) -> PendingAcks[int]:
    """Return records of ten bytes, which wait for these requests; their tokens are their places."""
    it: PendingAcks[int] = PendingAcks(first)
    for place, request in enumerate(requests):
        it.append(request, place, 10)
    return it


def test_what_waits_for_nothing_can_be_acknowledged_at_once() -> None:
    it = log(NOTHING, NOTHING)
    assert it.free() == [1], "the last one stands for those before it"
    assert it.bytes == 0


def test_a_record_waits_for_all_in_front_of_it() -> None:
    it = log(0, 1, 0, NOTHING)
    assert it.free() == []
    it.settle(0)
    assert it.free() == [0]
    it.settle(1)
    assert it.free() == [1, 3]
    assert it.bytes == 0


def test_a_request_is_waited_for_until_it_is_settled_and_not_only_decided() -> None:
    it = log(0)
    it.decide(0)
    assert it.free() == []
    it.settle(0)
    assert it.free() == [0]


def test_records_that_wait_for_the_same_cost_as_much_as_one() -> None:
    assert log(*[3] * 100).bytes == 10
    assert log(3, *[NOTHING] * 100).bytes == 10
    assert log(5, *[3, 4] * 100, first=5).bytes == 10, "3 and 4 were decided"


def test_what_is_decided_by_now_is_tidied_away_behind_one_that_waits() -> None:
    it = log(10**6, *range(LEAST_TIDIED - 1))
    it.decide(LEAST_TIDIED)
    assert it.bytes == 10 * LEAST_TIDIED
    it.append(10**6, LEAST_TIDIED, 10)
    assert it.bytes == 10
    it.settle(10**6)
    assert it.free() == [LEAST_TIDIED]


def test_nothing_waits_for_a_request_that_there_is_not() -> None:
    it = log(7, 0)
    it.drop(7)
    assert it.free() == [0]
    it.settle(0)
    assert it.free() == [1]


def test_what_was_joined_to_such_a_request_waits_for_its_own() -> None:
    it = log(0, 7)
    it.decide(0)
    it.append(0, 2, 10)
    it.drop(7)
    assert it.free() == []
    it.settle(0)
    assert it.free() == [0, 2]


def test_where_nothing_was_ever_decided_all_requests_are_waited_for() -> None:
    it = log(5, 0, first=None)
    assert it.free() == []
    assert it.bytes == 20
