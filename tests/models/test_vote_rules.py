"""Tests of the rules that combine several verdicts on one picture."""

import math
import time
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.models.verdict import Verdict
from catdog_stream.models.vote_rules import MAX_WEIGHT, RULES, Ballot, Rule, decide


def ballot(cat: float, weight: float = 1.0, voter: str = "a") -> Ballot:
    return Ballot(voter, Verdict({"cat": cat, "dog": 1 - cat}, f"{voter} 1"), weight)


def told(familiarity: float | None, *, unknown: bool, weight: float = 1.0) -> Ballot:
    return Ballot("a", Verdict({"cat": 0.6, "dog": 0.4}, "a 1", familiarity, unknown), weight)


def log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))


probabilities = st.floats(0, 1)
weights = st.floats(1e-3, MAX_WEIGHT)
rules = st.sampled_from(RULES)


@st.composite
def juries(draw: st.DrawFn) -> list[Ballot]:
    names = ["red", "green", "blue", "grey"][: draw(st.integers(2, 4))]
    found = []
    for number in range(draw(st.integers(1, 5))):
        parts = draw(st.lists(st.floats(1e-6, 1), min_size=len(names), max_size=len(names)))
        scores = {name: part / sum(parts) for name, part in zip(names, parts, strict=True)}
        found.append(Ballot(f"v{number}", Verdict(scores, f"v{number} 1"), draw(weights)))
    return found


class TestLogOdds:
    @given(st.floats(0.001, 0.999), st.floats(0.001, 0.999), weights, weights)
    def test_two_classes_get_the_weighted_mean_of_their_log_odds(
        self, a: float, b: float, of_a: float, of_b: float
    ) -> None:
        scores = decide([ballot(a, of_a), ballot(b, of_b)]).scores
        expected = (of_a * log_odds(a) + of_b * log_odds(b)) / (of_a + of_b)
        assert log_odds(scores["cat"]) == pytest.approx(expected, abs=1e-6)

    def test_who_is_sure_counts_for_more_than_two_who_hesitate(self) -> None:
        assert decide([ballot(0.999), ballot(0.4), ballot(0.4)]).label == "cat"

    def test_nobody_is_so_sure_that_others_cannot_outvote_it(self) -> None:
        assert decide([ballot(1.0), ballot(0.001), ballot(0.001), ballot(0.001)]).label == "dog"

    def test_a_class_that_a_voter_does_not_know_has_no_chance_with_it(self) -> None:
        more = Ballot("b", Verdict({"cat": 0.2, "dog": 0.1, "bird": 0.7}, "b 1"))
        scores = decide([ballot(0.6), more]).scores
        assert list(scores) == ["cat", "dog", "bird"]
        assert scores["bird"] < 0.01


class TestMajority:
    def test_two_who_hesitate_outvote_who_is_sure(self) -> None:
        verdict = decide([ballot(0.999), ballot(0.4), ballot(0.3)], "majority")
        assert verdict.label == "dog"

    def test_the_probabilities_are_those_of_the_winners(self) -> None:
        won = [ballot(0.4), ballot(0.3)]
        assert decide([ballot(0.999), *won], "majority").scores == decide(won).scores

    def test_weights_count(self) -> None:
        assert decide([ballot(0.6, 2.5), ballot(0.4), ballot(0.3)], "majority").label == "cat"

    @pytest.mark.parametrize(("cat", "winner"), [(0.9, "cat"), (0.55, "dog")])
    def test_of_as_many_votes_the_mean_decides(self, cat: float, winner: str) -> None:
        assert decide([ballot(cat), ballot(0.3)], "majority").label == winner

    def test_as_many_are_as_many_whatever_rounding_says(self) -> None:
        split = [ballot(0.51, 0.1), ballot(0.51, 0.2), ballot(0.01, 0.3)]
        assert decide(split, "majority").label == "dog"

    @given(juries())
    def test_the_likeliest_class_is_the_one_that_won(self, jury: list[Ballot]) -> None:
        votes: dict[str, float] = {}
        for each in jury:
            name = each.verdict.likeliest
            votes[name] = votes.get(name, 0.0) + each.weight
        won = votes.get(decide(jury, "majority").likeliest, 0.0)
        assert won == pytest.approx(max(votes.values()))


@given(juries(), rules)
def test_probabilities_add_up(jury: list[Ballot], rule: Rule) -> None:
    scores = decide(jury, rule).scores
    assert sum(scores.values()) == pytest.approx(1)
    assert all(0 <= probability <= 1 for probability in scores.values())


@given(juries(), rules)
def test_the_order_of_the_ballots_changes_no_bit(jury: list[Ballot], rule: Rule) -> None:
    scores = decide(jury, rule).scores
    for other in list(permutations(jury))[:6]:
        assert decide(other, rule).scores == scores


@given(juries(), rules)
def test_voters_who_agree_decide_what_they_say(jury: list[Ballot], rule: Rule) -> None:
    verdict = jury[0].verdict
    agreed = decide([Ballot(each.voter, verdict, each.weight) for each in jury], rule)
    assert agreed.scores == pytest.approx(verdict.scores, abs=1e-5)


@given(probabilities, weights, rules)
def test_a_single_ballot_decides_with_its_own_chances(
    cat: float, weight: float, rule: Rule
) -> None:
    only = ballot(cat, weight)
    assert decide([only], rule).scores == only.verdict.scores


def test_the_stack_names_those_that_voted() -> None:
    voters = [ballot(0.9, voter="inception_v3"), ballot(0.9, voter="lite")]
    assert decide(voters).stack == "jury inception_v3/1+lite/1"


class TestFamiliarity:
    def test_is_the_weighted_mean_of_those_that_can_tell(self) -> None:
        jury = [
            told(0.2, unknown=False),
            told(0.8, unknown=False, weight=3),
            told(None, unknown=False),
        ]
        assert decide(jury).familiarity == pytest.approx(0.65)

    def test_is_not_known_where_nobody_can_tell(self) -> None:
        verdict = decide([ballot(0.6), ballot(0.7)])
        assert verdict.familiarity is None
        assert not verdict.unknown

    def test_more_than_half_of_those_that_can_tell_make_a_picture_unknown(self) -> None:
        cannot = told(None, unknown=False, weight=9)
        assert decide([told(0.1, unknown=True), cannot]).label == "unknown"
        split = [told(0.1, unknown=True), told(0.9, unknown=False), cannot]
        assert decide(split).label == "cat"


@pytest.mark.parametrize("rule", RULES)
def test_a_thousand_classes_are_decided_in_milliseconds(rule: Rule) -> None:
    names = [f"class {number}" for number in range(1000)]
    equal = dict.fromkeys(names, 0.5 / 999)
    votes = (("class 7", 1.0), ("class 3", 0.4), ("class 3", 0.5))
    ballots = [
        Ballot(str(n), Verdict(equal | {name: 0.5}, f"{n} 1"), weight)
        for n, (name, weight) in enumerate(votes)
    ]
    started = time.perf_counter()
    for _ in range(20):
        verdict = decide(ballots, rule)
    assert time.perf_counter() - started < 1
    assert verdict.label == "class 7"
    assert list(verdict.scores) == names
    assert sum(verdict.scores.values()) == pytest.approx(1)


@pytest.mark.parametrize("weight", [0, -1, math.nan, math.inf, MAX_WEIGHT * 2])
def test_a_weight_that_cannot_be_used_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="weight"):
        ballot(0.5, weight)
