"""Statistics of the cluster: shards of all workers, each partition counted once."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.settings import Settings
from catdog_stream.web.cluster.counts import Shards, Statistics, local_shards, summed, uncovered
from catdog_stream.worker.application import CatDogApp


def shards(labels: dict[str, dict[str, int]], **rejections: dict[str, int]) -> Shards:
    return {"labels": labels, "rejections": rejections}


def test_the_shards_of_all_workers_add_up() -> None:
    total = summed(
        [
            shards({"0": {"cat": 2, "dog": 1}, "1": {"dog": 5}}),
            shards({"2": {"cat": 1}}, **{"2": {"not_json": 3}}),
        ]
    )
    assert total == Statistics({"cat": 3, "dog": 6}, {"not_json": 3}, asked=2, answered=2)
    assert (total.total, total.rejected) == (9, 3)


def test_a_worker_that_did_not_answer_is_told_apart() -> None:
    total = summed([shards({"0": {"cat": 2}}), None])
    assert (total.total, total.asked, total.answered) == (2, 2, 1)


def test_a_partition_that_two_workers_show_is_counted_once_by_whoever_knows_more() -> None:
    old, new = shards({"0": {"cat": 5}}), shards({"0": {"cat": 5, "dog": 1}})
    assert summed([old, new]).total == summed([new, old]).total == 6


def test_labels_and_rejections_of_one_partition_are_different_things() -> None:
    total = summed([shards({"0": {"cat": 1}}, **{"0": {"not_json": 1}})])
    assert (total.total, total.rejected) == (1, 1)


counts = st.dictionaries(st.sampled_from(["cat", "dog"]), st.integers(0, 9), max_size=2)
worker = st.dictionaries(st.sampled_from("0123"), counts).map(shards)


@given(st.lists(st.none() | worker, max_size=4), st.randoms())
def test_the_order_of_the_answers_does_not_matter(
    answers: list[Shards | None], dice: Random
) -> None:
    shuffled = list(answers)
    dice.shuffle(shuffled)
    total, again = summed(answers), summed(shuffled)
    assert (total.total, total.rejected, total.answered) == (
        again.total,
        again.rejected,
        again.answered,
    )


def test_a_worker_shows_nothing_before_its_tables_are_recovered() -> None:
    assert local_shards(CatDogApp(Settings()), ()) is None


def test_of_a_worker_that_has_left_only_what_nobody_else_shows_is_left() -> None:
    gone = shards({"0": {"cat": 5}, "1": {"cat": 7}}, **{"1": {"not_json": 1}})
    others = [None, shards({"0": {"cat": 6}}), shards({}, **{"1": {}})]
    assert uncovered(gone, by=others) == shards({"1": {"cat": 7}})
