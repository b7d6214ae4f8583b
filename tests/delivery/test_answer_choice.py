"""Tests of requests with several answers: the committed answer counts, in any order of reading."""

from itertools import permutations

import pytest

from catdog_stream.delivery.answer_choice import Answer, chosen
from catdog_stream.delivery.counting import Shard

CAT, DOG = Answer(1000, "labels", "cat"), Answer(1000, "labels", "dog")
TIMEOUT = Answer(1000, "rejections", "timeout")


def shard(**counts: int) -> Shard:
    """Return committed counts."""
    return {
        "labels": {name: n for name, n in counts.items() if name != "timeout"},
        "rejections": {name: n for name, n in counts.items() if name == "timeout"},
        "offset": 99,
    }


def names(answers: dict[int, list[Answer]], counts: Shard) -> dict[int, str]:
    return {offset: each.name for offset, each in chosen(answers, counts).items()}


@pytest.mark.parametrize("committed", ["cat", "timeout"])
def test_of_a_label_and_a_rejection_the_one_that_was_committed_counts(committed: str) -> None:
    for order in permutations((CAT, TIMEOUT)):
        assert names({7: list(order)}, shard(**{committed: 1})) == {7: committed}


def test_of_the_labels_of_two_stacks_the_one_that_was_committed_counts() -> None:
    assert names({7: [CAT, DOG]}, shard(cat=1)) == {7: "cat"}
    assert names({7: [CAT, DOG]}, shard(dog=1)) == {7: "dog"}


def test_as_many_as_possible_agree_with_what_was_committed() -> None:
    """Give the cat to the second request, which has no other choice left, and not to the first."""
    answers = {1: [CAT, TIMEOUT], 2: [CAT, DOG], 3: [DOG]}
    assert names(answers, shard(cat=1, timeout=1, dog=1)) == {1: "timeout", 2: "cat", 3: "dog"}


def test_what_is_surely_counted_takes_its_room_first() -> None:
    assert names({1: [CAT], 2: [CAT, TIMEOUT]}, shard(cat=1, timeout=1)) == {1: "cat", 2: "timeout"}


def test_where_nothing_was_committed_a_label_goes_before_a_rejection() -> None:
    for order in permutations((CAT, TIMEOUT)):
        assert names({7: list(order)}, shard()) == {7: "cat"}


def test_where_kafka_sets_the_time_the_later_answer_counts() -> None:
    late = TIMEOUT._replace(time_ms=1001)
    for order in permutations((CAT, late)):
        assert names({7: list(order)}, shard()) == {7: "timeout"}
    assert names({7: [CAT, DOG]}, shard()) == {7: "dog"}


def test_an_answer_that_was_published_twice_is_one() -> None:
    assert names({7: [CAT, CAT._replace(time_ms=2)]}, shard(cat=1)) == {7: "cat"}


def test_a_name_that_a_full_shard_counts_as_another_is_found_there() -> None:
    many = shard(other=1)
    assert names({7: [CAT, TIMEOUT]}, many) == {7: "cat"}


def test_thousands_of_such_requests_are_divided_by_number() -> None:
    answers = {offset: [CAT, TIMEOUT] for offset in range(3000)}
    found = list(names(answers, shard(cat=1800, timeout=1200)).values())
    assert (found.count("cat"), found.count("timeout")) == (1800, 1200)
