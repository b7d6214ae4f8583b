"""Tests of one worker's view of the cluster."""

from catdog_stream.web.cluster.view import _lag
from tests.web.cluster_views import worker


def test_lag_is_what_this_worker_has_learned_before_what_others_have() -> None:
    here = worker(lag={0: 5, 1: None})
    other = worker("http://other:6066", "answers", lag={0: 4, 1: 7, 2: 1})
    assert _lag([here, other]) == {0: 5, 1: 7, 2: 1}


def test_a_lag_that_only_a_silent_worker_knew_is_unknown() -> None:
    here = worker(lag={0: 5, 1: None})
    for standing in ("silent", "left"):
        assert _lag([here, worker("http://other:6066", standing, lag={1: 0})]) == {0: 5, 1: None}
