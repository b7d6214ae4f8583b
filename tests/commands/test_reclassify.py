"""Tests of mistakes in the options of ``reclassify``, found before it asks for a broker."""

import pytest

from catdog_stream.kafka.names import Names
from tests.commands.test_errors import run, sentence


@pytest.mark.slow
def test_each_mistake_is_one_sentence() -> None:
    for options, expected in (
        (("--since", "soon", "--to", "out"), "--since 'soon' cannot be used: it must be "),
        (("--since", "2h", "--until", "x", "--to", "out"), "--until 'x' cannot be used: it must "),
        (("--since", "1h", "--until", "2h", "--to", "out"), "--until must be later than --since."),
        (("--since", "2h", "--to", "a b"), "--to 'a b' cannot be used: it must have "),
        (("--since", "2h", "--to", "catdoglabel"), "catdoglabel is a topic of the application "),
    ):
        answer = run("reclassify", *options)
        assert sentence(answer).startswith(expected)
        assert answer.returncode == 2


def test_an_application_owns_its_topics_and_changelogs_and_no_others() -> None:
    names = Names.of("pets")
    for topic in (
        *names.topics,
        names.votes,
        names.stacks_of("a"),
        "pets-label_counts-changelog",
        "pets-voter-a-__assignor-__leader",
    ):
        assert names.owns(topic)
    assert not names.owns("pets-again")
    assert not names.owns("catdoglabel")
