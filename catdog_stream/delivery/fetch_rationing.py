"""Rationed fetching: the consumer asks only for the partitions that are needed now.

Fault (aiokafka 0.14 under Faust 0.15): a worker reads its requests, its own answers (to count
them), and the changelogs of its tables: some forty partitions. One fetch request covers all of
them, and the broker answers it as soon as any partition has a record. So each label and each table
change that the worker itself writes costs one more round of encoding and decoding all partitions in
Python: 11 ms of CPU time for each picture, a third of the time of the model.

Repair: paused partitions, such as the changelogs after recovery, are not fetched. Partitions of
topics in which nothing is urgent are fetched a few times a second.
"""

import time
from collections.abc import Callable, Collection, Iterator
from typing import Any

from faust.types import TP

from catdog_stream.delivery.fetch_budget import FetchBudget

__all__ = ["LESS_POLLED_INTERVAL", "RationedFetching"]

#: Seconds between two fetches of a topic in which nothing is urgent.
LESS_POLLED_INTERVAL = 0.25


class RationedFetching:
    """Wrapper of aiokafka's ``Fetcher._get_actions_per_node``, which plans the next requests.

    Args:
        plan: the wrapped method. Its first result is a list of nodes and requests.
        is_paused: returns whether Faust has paused a partition.
        less_polled_topics: topics that are fetched only every ``LESS_POLLED_INTERVAL``.
        budget: memory of fetched records; ``None`` without a limit.
        clock: monotonic time in seconds.
    """

    def __init__(
        self,
        plan: Callable[[Any], tuple[Any, ...]],
        *,
        is_paused: Callable[[TP], bool],
        less_polled_topics: Collection[str],
        budget: FetchBudget | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plan = plan
        self._is_paused = is_paused
        self._less_polled_topics = less_polled_topics
        self._budget = budget
        self._clock = clock
        self._due: dict[TP, float] = {}

    def __call__(self, assignment: Any) -> tuple[Any, ...]:
        """Plan the requests for the partitions of ``assignment`` that are needed now."""
        now = self._clock()
        left_out = () if self._budget is None else self._budget.left_out()
        wanted = [tp for tp in assignment.tps if self._is_wanted(assignment, tp, now, left_out)]
        actions = self._plan(_Selection(assignment, wanted))
        if self._budget is not None:
            actions = self._budget.limited(actions)
        for _node, request in actions[0]:
            partitions = tuple(_partitions(request.topics))
            patient = [tp for tp in partitions if tp.topic in self._less_polled_topics]
            self._due.update(dict.fromkeys(patient, now + LESS_POLLED_INTERVAL))
            if len(patient) == len(partitions):
                # Such a request would delay urgent ones to the same node while it waits.
                request._max_wait_ms = 0
        return actions

    def _is_wanted(self, assignment: Any, tp: TP, now: float, left_out: Collection[str]) -> bool:
        if not assignment.state_value(tp).has_valid_position:
            return True  # aiokafka must look up the position first
        if tp.topic in left_out or self._is_paused(tp):
            return False
        return self._due.get(tp, now) <= now


class _Selection:
    """View of an aiokafka assignment that contains only some of its partitions."""

    def __init__(self, assignment: Any, partitions: Collection[TP]) -> None:
        self.tps = partitions
        self.state_value = assignment.state_value


def _partitions(topics: Collection[tuple[str, Collection[tuple[int, ...]]]]) -> Iterator[TP]:
    for topic, partitions in topics:
        for number, *_ in partitions:
            yield TP(topic, number)
