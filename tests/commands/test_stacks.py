"""Tests of the messages of ``stacks use`` and ``rollback`` about the workers' reports."""

import click
import pytest

from catdog_stream.commands.stacks import _print_reports
from catdog_stream.kafka.deployments import Deployment, Report
from catdog_stream.kafka.rollout_status import Outcome, Running


def test_of_an_order_that_was_superseded_only_those_who_are_done_with_it_are_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = {
        "a": Report("a", 5, "pets 2"),
        "b": Report("b", 5, "pets 1", "It is damaged."),
        "c": Report("c", 5, "pets 1", loading="pets/2"),
    }
    found = Outcome(Running(frozenset("abcd")), said, superseded=Deployment(6, "pets/3"))
    with pytest.raises(click.ClickException, match="A newer deployment is in force: pets/3"):
        _print_reports(found, "pets/2")
    assert capsys.readouterr().out == "a: pets 2\nb: pets 1 stays in service: It is damaged.\n"


def test_who_says_nothing_or_loads_still_is_named_in_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = {"a": Report("a", 5, "pets 1", loading="pets/2")}
    with pytest.raises(click.ClickException, match="Of 2 workers 0 serve pets/2, 0 refused, and 2"):
        _print_reports(Outcome(Running(frozenset("ab")), said), "pets/2")
    assert capsys.readouterr().out == (
        "a: pets 1 stays in service: pets/2 is still being loaded\n"
        "b: has not reported: it has no CATDOG_STACKS, or is slow\n"
    )
