"""Tests of the values of ``--broker``."""

from argparse import ArgumentTypeError

import pytest

from benchmarks.options import broker_choice, parser


@pytest.mark.parametrize("text", ["localhost:9092", "kafka://localhost:9092"])
def test_an_address_may_have_a_scheme(text: str) -> None:
    assert broker_choice(text) == "localhost:9092"


def test_a_broker_of_its_own_is_named() -> None:
    assert broker_choice("own") == "own"


@pytest.mark.parametrize(
    "text", ["", "kafka", "localhost", "http://localhost:80", "a:1;b:2", "host:port"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is not own or HOST:PORT"):
        broker_choice(text)


def test_the_broker_of_the_tests_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATDOG_TEST_BROKER", "kafka://localhost:9092")
    assert parser("").parse_args([]).broker == "localhost:9092"
    monkeypatch.delenv("CATDOG_TEST_BROKER")
    assert parser("").parse_args([]).broker == "own"
