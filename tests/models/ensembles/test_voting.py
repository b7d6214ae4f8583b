"""Tests of several classifiers that vote in one process, behind the interface of one classifier."""

import json

import numpy as np
import pytest

from catdog_stream.errors import RejectedRequest, StackError
from catdog_stream.models.ensembles.voting import Member, VotingClassifier
from catdog_stream.models.vote_rules import RULES, Ballot, Rule, decide
from catdog_stream.testing import check_classifier
from tests.support.shade import Shade, grey


def three(rule: Rule = "log_odds") -> VotingClassifier:
    """Return three members: a bright one, a fair one with weight 2, and a gloomy one."""
    members = [
        Member(Shade("bright", size=2, bias=0.5)),
        Member(Shade("fair", size=4), 2.0),
        Member(Shade("gloomy", size=8, bias=-0.25)),
    ]
    return VotingClassifier(members, rule)


@pytest.mark.parametrize("rule", RULES)
def test_it_keeps_the_contract_of_a_classifier(rule: Rule) -> None:
    check_classifier(three(rule), [grey(shade) for shade in range(0, 256, 25)])


@pytest.mark.parametrize("rule", RULES)
def test_it_says_what_its_members_decide_by_their_weights(rule: Rule) -> None:
    jury = three(rule)
    for shade in range(0, 256, 15):
        (verdict,) = jury.classify([jury.prepare(grey(shade))])
        ballots = []
        for name, size, bias, weight in (
            ("bright", 2, 0.5, 1.0),
            ("fair", 4, 0.0, 2.0),
            ("gloomy", 8, -0.25, 1.0),
        ):
            alone = Shade(name, size, bias)
            (said,) = alone.classify([alone.prepare(grey(shade))])
            ballots.append(Ballot(name, said, weight))
        assert verdict.scores == decide(ballots, rule).scores


def test_each_member_looks_at_the_picture_that_it_wants() -> None:
    jury = three()
    picture = jury.prepare(grey(9))
    assert [np.shape(each) for each in picture] == [(2, 2, 3), (4, 4, 3), (8, 8, 3)]
    jury.classify([picture])  # each member refuses other sizes


def test_who_voted_what_goes_with_the_verdict() -> None:
    (verdict,) = (jury := three()).classify([jury.prepare(grey(100))])
    assert verdict.stack == "jury bright/1+fair/1+gloomy/1"
    assert json.loads(verdict.notes["votes"]) == {
        "bright/1": {"verdict": "light", "chance": 0.892157, "stack": "bright 1"},
        "fair/1": {"verdict": "dark", "chance": 0.607843, "stack": "fair 1"},
        "gloomy/1": {"verdict": "dark", "chance": 0.857843, "stack": "gloomy 1"},
    }


def test_what_one_member_cannot_read_is_rejected_with_its_reason() -> None:
    with pytest.raises(RejectedRequest, match="bright cannot read it"):
        three().prepare(b"no picture")


def test_the_order_of_the_classes_is_that_of_the_first_member() -> None:
    jury = VotingClassifier(
        [Member(Shade("a")), Member(Shade("b", bias=0.1, classes=("light", "dark")))]
    )
    (verdict,) = jury.classify([jury.prepare(grey(30))])
    assert list(verdict.scores) == ["dark", "light"]
    assert verdict.label == "dark"


def test_a_batch_is_as_large_as_its_busiest_member_wants() -> None:
    large = Shade("large")
    large.batch_size = 32
    assert VotingClassifier([Member(Shade()), Member(large)]).batch_size == 32


def test_members_are_warmed_up_and_closed_with_it() -> None:
    members = [Shade("a"), Shade("b")]
    jury = VotingClassifier([Member(each) for each in members])
    jury.warm_up()
    assert all(each.warm for each in members)
    jury.close()
    assert all(each.closed for each in members)


def test_those_that_tell_other_things_apart_cannot_vote_with_each_other() -> None:
    other = Shade("colours", classes=())
    other.classes = ("red", "blue")
    with pytest.raises(StackError, match=r"shade/1 and colours/1 cannot vote .* dark, light apart"):
        VotingClassifier([Member(Shade()), Member(other)])


def test_nobody_votes_twice_or_alone() -> None:
    with pytest.raises(StackError, match="named twice"):
        VotingClassifier([Member(Shade()), Member(Shade())])
    with pytest.raises(StackError, match="nobody to vote with"):
        VotingClassifier([Member(Shade())])
