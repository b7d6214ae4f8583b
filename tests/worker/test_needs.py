"""Tests that the rights that a worker needs are exactly those of docs/security.md."""

from pathlib import Path
from typing import cast

import pytest
from faust.assignor.leader_assignor import LeaderAssignor

from catdog_stream.app import build_app
from catdog_stream.kafka.names import changelog_of
from catdog_stream.settings import Settings
from catdog_stream.worker.needs import leader_of, needs_of, topics_of
from catdog_stream.worker.roles import role_of
from tests.support.names import REQUESTS
from tests.support.rights import documented

STACKS = Path("/stacks")


@pytest.mark.parametrize(
    ("who", "settings"),
    [
        ("worker", Settings(stacks=STACKS)),
        ("voter NAME", Settings(role="voter", voter="NAME", stacks=STACKS)),
        ("jury", Settings(role="jury", voters=("NAME",), stacks=STACKS)),
    ],
)
def test_the_document_lists_exactly_what_is_needed(who: str, settings: Settings) -> None:
    accesses = [need.access for need in needs_of(role_of(settings), settings)]
    needed = {(access.kind, *access.names, access.right) for access in accesses}
    assert len(needed) == len(accesses), "each is named once"
    assert needed == documented(who)


def test_without_http_and_stacks_less_is_needed() -> None:
    settings = Settings(web_send=False)
    needs = needs_of(role_of(settings), settings)
    assert ("topic", "Write", (REQUESTS,)) not in {
        (need.access.kind, need.access.right, need.access.names) for need in needs
    }
    assert [need.otherwise for need in needs if need.otherwise is not None] == [
        "the counts are not corrected by catdog-stream recount"
    ]
    assert not any("catdogstack" in topic.name for topic in topics_of(role_of(settings), settings))


def test_fausts_own_topics_are_known_by_the_names_that_faust_gives_them() -> None:
    app = build_app(Settings())
    table = app.tables["label_counts"]
    assert changelog_of(app.role.group, "label_counts") == table.changelog_topic.get_topic_name()
    leader = cast(LeaderAssignor, app._leader_assignor)
    assert leader_of(app.role) == leader._leader_topic_name
