"""Tests that an unknown lag is not shown as zero."""

from collections.abc import Mapping

import pytest

from catdog_stream.web.page.document import render
from catdog_stream.web.page.sections.partitions import waiting
from tests.web.cluster_views import cluster, worker
from tests.web.page.reading import Reader


@pytest.mark.parametrize(
    ("lag", "shown", "sentence"),
    [
        ({0: 1200, 1: 34}, "1,234", "1,234 waiting for an answer, in 2 partitions."),
        (
            {0: 1200, 1: None},
            "1,200+",
            "1,200+ waiting for an answer, in 2 partitions. Kafka does not state it for 1 of them.",
        ),
        ({0: None, 1: None}, "-", "- waiting for an answer, in 2 partitions. Kafka does not"),
        ({}, "-", "Kafka has not stated yet what waits."),
    ],
)
def test_what_waits_is_shown_as_far_as_it_is_known(
    lag: Mapping[int, int | None], shown: str, sentence: str
) -> None:
    view = cluster({}, {}, worker(), lag=lag)
    assert waiting(view) == shown
    assert sentence in Reader(render(view, "/static/0/")).text
