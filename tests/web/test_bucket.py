"""Tests of the token bucket."""

from catdog_stream.web.bucket import Bucket


def test_so_many_pass_at_once_and_then_so_many_a_second() -> None:
    now = [0.0]
    bucket = Bucket(2.0, 3, clock=lambda: now[0])
    assert [bucket.take() for _ in range(5)] == [True, True, True, False, False]
    now[0] += 1
    assert [bucket.take() for _ in range(3)] == [True, True, False]
