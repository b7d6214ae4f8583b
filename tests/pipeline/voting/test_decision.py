"""Tests of the decision from votes: a verdict, or a rejection if all voters reject."""

import orjson
import pytest

from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.messages.votes import Vote
from catdog_stream.messages.wire import Source
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.outcome import Classified
from catdog_stream.pipeline.voting.decision import Decision
from tests.pipeline.voting.votes import no, vote


class TestWhatVotesComeTo:
    def test_the_verdicts_decide_and_the_header_tells_who_voted_what(self) -> None:
        votes = (vote("a", 0, cat=0.9), no("b"), vote("c", 0, cat=0.2))
        outcome = Decision(votes, ("d", "e"), 0.0).outcome("log_odds")
        assert isinstance(outcome, Classified)
        assert outcome.url == "of-a"
        assert outcome.verdict.stack == "jury a/1+c/1"
        assert outcome.verdict.label == "cat"
        assert outcome.verdict.notes["missing"] == "d,e"
        assert orjson.loads(outcome.verdict.notes["votes"]) == {
            "a": {"verdict": "cat", "chance": 0.9, "stack": "a 1"},
            "b": {"reason": "not_an_image"},
            "c": {"verdict": "dog", "chance": 0.8, "stack": "c 1"},
        }

    def test_nobody_is_missing_where_all_have_voted(self) -> None:
        outcome = Decision((vote("a", 0), vote("b", 0)), (), 0.0).outcome("log_odds")
        assert isinstance(outcome, Classified)
        assert "missing" not in outcome.verdict.notes

    def test_weights_come_from_the_votes(self) -> None:
        votes = (vote("a", 0, cat=0.9), vote("b", 0, cat=0.2, weight=9.0))
        outcome = Decision(votes, (), 0.0).outcome("majority")
        assert isinstance(outcome, Classified)
        assert outcome.verdict.label == "dog"

    def test_it_is_a_rejection_only_if_all_reject(self) -> None:
        outcome = Decision((no("a"), no("b", Reason.TIMEOUT)), (), 0.0).outcome("log_odds")
        assert isinstance(outcome, RejectedRequest)
        assert (outcome.reason, outcome.detail) == (Reason.NOT_AN_IMAGE, "a says no.")


@pytest.mark.parametrize("classes", [2, 200])
def test_the_header_stays_short_whatever_the_number_of_classes(classes: int) -> None:
    scores = {f"class-{number}": 1 / classes for number in range(classes)}
    votes = tuple(
        Vote(f"voter-{n}", Source("catdogimage", 0, 0), Verdict(scores, "s" * 200))
        for n in range(16)
    )
    outcome = Decision(votes, (), 0.0).outcome("log_odds")
    assert isinstance(outcome, Classified)
    assert len(outcome.verdict.notes["votes"]) < 8000
