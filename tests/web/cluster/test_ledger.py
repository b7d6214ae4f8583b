"""Tests of the cluster's counts: each partition counts once, with its last known value."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.web.cluster import ledger
from catdog_stream.web.cluster.counts import Shards
from catdog_stream.web.cluster.ledger import HAND_OVER, Ledger


def shards(labels: dict[str, dict[str, int]], **rejections: dict[str, int]) -> Shards:
    return {"labels": labels, "rejections": rejections}


class Scenario:
    """Ledger at a time that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.ledger = Ledger(lambda: self.now)

    def tell(self, teller: str, cats: int, place: str = "0") -> int:
        """Record a worker's count of a partition and return the total of the ledger."""
        self.ledger.note(teller, shards({place: {"cat": cats}}))
        return self.cats()

    def cats(self) -> int:
        return self.ledger.total("labels").get("cat", 0)


def test_the_shards_of_all_workers_add_up() -> None:
    it = Scenario().ledger
    it.note("one", shards({"0": {"cat": 2, "dog": 1}, "1": {"dog": 5}}))
    it.note("two", shards({"2": {"cat": 1}}, **{"2": {"not_json": 3}}))
    assert it.total("labels") == {"cat": 3, "dog": 6}
    assert it.total("rejections") == {"not_json": 3}


def test_counts_stay_while_nobody_can_tell_them() -> None:
    it = Scenario()
    it.tell("one", 5)
    it.ledger.note("one", None)
    assert it.cats() == 5
    it.ledger.note("one", shards({}))
    it.now += 100 * HAND_OVER
    assert it.cats() == 5, "it was moved, and who has it was not heard of"


def test_of_two_that_tell_a_partition_the_one_that_counted_more_is_right() -> None:
    for first, second in ((5, 6), (6, 5)):
        it = Scenario()
        it.tell("one", first)
        assert it.tell("two", second) == 6


def test_a_successor_that_is_behind_is_right_once_it_must_have_caught_up() -> None:
    it = Scenario()
    it.tell("one", 10)
    it.now += HAND_OVER / 2
    assert it.tell("two", 9) == 10
    it.now += HAND_OVER / 2
    assert it.tell("two", 9) == 9


def test_who_counted_a_partition_may_correct_itself() -> None:
    it = Scenario()
    it.tell("one", 10)
    assert it.tell("one", 7) == 7


def test_sums_keep_no_names_that_are_gone() -> None:
    it = Scenario().ledger
    for number in range(100):
        it.note("hostile", shards({"0": {f"name {number}": 1}}))
    assert it.total("labels") == {"name 99": 1}
    assert len(it._totals["labels"]) == 1


def test_no_more_names_are_known_than_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "MAX_COUNTS", 10)
    it = Scenario().ledger
    assert it.note("one", shards({"0": {str(name): 1 for name in range(6)}}))
    assert not it.note("hostile", shards({"1": {str(name): 1 for name in range(6)}}))
    assert it.note("one", shards({"0": {str(name): 2 for name in range(6)}, "2": {"cat": 1}}))
    assert sum(it.total("labels").values()) == 13


def test_no_more_partitions_are_known_than_there_can_be() -> None:
    it = Scenario()
    most = ledger.MAX_PLACES
    it.ledger.note("one", shards({str(place): {"cat": 1} for place in range(most)}))
    assert it.tell("hostile", 1, "one more") == most
    assert it.tell("one", 3, "0") == most + 2


places = st.dictionaries(st.sampled_from("0123"), st.integers(0, 9))


@given(st.lists(places, max_size=4), st.randoms())
def test_the_order_in_which_workers_tell_does_not_matter(
    told: list[dict[str, int]], dice: Random
) -> None:
    def total(order: list[int]) -> int:
        it = Scenario()
        for teller in order:
            it.ledger.note(str(teller), shards({p: {"cat": n} for p, n in told[teller].items()}))
        return it.cats()

    order = list(range(len(told)))
    shuffled = list(order)
    dice.shuffle(shuffled)
    assert total(order) == total(shuffled)
