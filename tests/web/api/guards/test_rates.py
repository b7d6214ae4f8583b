"""Tests of the rate limit of a client."""

import pytest

from catdog_stream.web.api.guards import rates
from catdog_stream.web.api.guards.rates import Rates
from catdog_stream.web.api.problems import Problem
from catdog_stream.web.clients import client_of


class Clock:
    """Clock in seconds that the test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def sent(bucket: Rates, address: str | None, tries: int) -> int:
    """Return how many of ``tries`` pictures a client can send at once."""
    for number in range(tries):
        try:
            bucket.take(address, 1)
        except Problem:
            return number
    return tries


def test_twice_the_rate_at_once_and_then_the_rate() -> None:
    clock = Clock()
    bucket = Rates(5, clock)
    assert sent(bucket, "10.0.0.1", 100) == 10
    clock.now += 1
    assert sent(bucket, "10.0.0.1", 100) == 5
    clock.now += 1000
    assert sent(bucket, "10.0.0.1", 100) == 10


def test_who_is_turned_away_is_told_when_to_come_again() -> None:
    clock = Clock()
    bucket = Rates(0.1, clock)
    assert sent(bucket, "10.0.0.1", 9) == 1
    with pytest.raises(Problem) as told:
        bucket.take("10.0.0.1", 1)
    assert told.value.status == 429
    clock.now += int(told.value.headers["Retry-After"])
    assert sent(bucket, "10.0.0.1", 9) == 1


def test_many_at_once_are_paid_for_later() -> None:
    clock = Clock()
    bucket = Rates(1, clock)
    bucket.take("10.0.0.1", 32)
    clock.now += 30
    assert sent(bucket, "10.0.0.1", 9) == 0
    clock.now += 1
    assert sent(bucket, "10.0.0.1", 9) == 1


def test_many_at_once_take_what_others_have_left() -> None:
    clock = Clock()
    bucket = Rates(20, clock)
    bucket.take("10.0.0.1", 32)
    bucket.check("10.0.0.1")
    with pytest.raises(Problem) as refused:
        bucket.take("10.0.0.1", 32)
    assert refused.value.headers["Retry-After"] == "2"
    assert sent(bucket, "10.0.0.1", 100) == 8
    with pytest.raises(Problem):
        bucket.check("10.0.0.1")


def test_one_client_is_no_other() -> None:
    bucket = Rates(1, Clock())
    assert sent(bucket, "10.0.0.1", 9) == 2
    assert sent(bucket, "10.0.0.2", 9) == 2


def test_without_a_rate_everybody_may_send_as_much_as_he_likes() -> None:
    bucket = Rates(0)
    assert sent(bucket, "10.0.0.1", 1000) == 1000
    assert len(bucket) == 0


def test_no_more_than_so_many_clients_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MAX_CLIENTS", 3)
    bucket = Rates(1, Clock())
    for number in range(10):
        bucket.take(f"10.0.0.{number}", 1)
    assert len(bucket) == 3


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("fe80::1:2:3:4%eth0", "fe80::/64"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (None, "unknown"),
        ("a socket", "unknown"),
    ],
)
def test_whoever_has_a_network_of_version_6_is_one_client(address: str | None, client: str) -> None:
    assert client_of(address) == client
