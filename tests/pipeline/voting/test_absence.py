"""Tests of a voter that no longer votes: it is named until it votes again."""

from catdog_stream.pipeline.voting.absence import Absence


def test_a_voter_that_misses_decisions_is_named_until_it_votes_again() -> None:
    absence = Absence(("lite", "v3"))
    assert absence.problems() == []
    absence.note(())
    assert absence.problems() == []
    absence.note(("lite",))
    assert absence.problems()[0].startswith(
        "The voter lite did not vote in time on the latest request: "
    )
    absence.note(("lite", "a voter that is expected no more"))
    (sentence,) = absence.problems()
    assert "lite did not vote in time on the latest 2 requests: " in sentence
    absence.note(("v3",))
    (sentence,) = absence.problems()
    assert "The voter v3 " in sentence
