"""Each answer is counted once, whatever is delivered twice."""

import time
from collections import Counter
from collections.abc import Iterable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.counting import Shard, counted, counting_source, label_of, reason_of
from catdog_stream.records import Source

REQUESTS, LABELS = "catdogimage", "catdoglabel"


def count_all(deliveries: Iterable[tuple[str, Source]]) -> Shard | None:
    """What the table holds for one partition after these deliveries."""
    shard: Shard | None = None
    for name, source in deliveries:
        shard = counted(shard, name, source) or shard
    return shard


Deliveries = list[tuple[int, str]]


def delivered(runs: list[tuple[int, list[str]]]) -> tuple[list[str], Deliveries]:
    """The labels by offset, and offsets with labels in the order in which they are delivered.

    A worker that takes over starts again at or before what was published last: each run goes
    back a few offsets, repeats what is there, and goes on with new labels.
    """
    labels: list[str] = []
    order: Deliveries = []
    for back, new in runs:
        start = max(0, len(labels) - back)
        labels += new
        order += list(enumerate(labels))[start:]
    return labels, order


histories = st.lists(
    st.tuples(st.integers(0, 12), st.lists(st.sampled_from(["cat", "dog"]), max_size=8))
).map(delivered)


class TestCounting:
    @given(histories)
    def test_restarts_and_repetitions_count_each_label_once(
        self, history: tuple[list[str], Deliveries]
    ) -> None:
        labels, order = history
        shard = count_all((label, Source(REQUESTS, 0, offset)) for offset, label in order)
        assert (shard["counts"] if shard else {}) == Counter(labels)

    @given(histories, st.data())
    def test_a_table_recovered_at_any_moment_goes_on_counting_right(
        self, history: tuple[list[str], Deliveries], data: st.DataObject
    ) -> None:
        labels, order = history
        crash = data.draw(st.integers(0, len(order)))
        # What was counted is committed after it was counted: some of it is delivered again.
        committed = data.draw(st.integers(0, crash))
        shard = count_all((label, Source(REQUESTS, 0, offset)) for offset, label in order[:crash])
        shard = orjson.loads(orjson.dumps(shard))  # the changelog holds JSON
        for offset, label in order[committed:]:
            shard = counted(shard, label, Source(REQUESTS, 0, offset)) or shard
        assert (shard["counts"] if shard else {}) == Counter(labels)

    def test_offsets_with_gaps_count_too(self) -> None:
        # Kafka's offsets have gaps, and rejected requests leave gaps between labels.
        sources = [Source(REQUESTS, 0, offset) for offset in (7, 7, 9, 7, 30, 9)]
        shard = count_all(("cat", source) for source in sources)
        assert shard is not None
        assert shard["counts"] == {"cat": 3}

    def test_the_first_offset_of_all_counts(self) -> None:
        assert counted(None, "cat", Source(REQUESTS, 0, 0)) is not None

    def test_records_of_another_service_are_counted_beside_ours(self) -> None:
        deliveries = [
            ("cat", Source(REQUESTS, 1, 100)),
            ("dog", Source(LABELS, 1, 4)),
            ("cat", Source(REQUESTS, 1, 101)),
            ("dog", Source(LABELS, 1, 4)),  # delivered again
            ("dog", Source(LABELS, 1, 6)),
        ]
        shard = count_all(deliveries)
        assert shard is not None
        assert shard["counts"] == {"cat": 2, "dog": 2}

    def test_a_shard_is_never_changed_in_place(self) -> None:
        # Faust notices only what is assigned; a change in place would not reach the changelog.
        shard = counted(None, "cat", Source(REQUESTS, 0, 0))
        assert shard is not None
        before = orjson.dumps(shard)
        counted(shard, "dog", Source(REQUESTS, 0, 1))
        assert orjson.dumps(shard) == before


class TestSource:
    OWN = Source(LABELS, 3, 70)

    def source(self, *headers: tuple[str, bytes]) -> Source:
        return counting_source(headers, self.OWN, requests_topic=REQUESTS, partitions=8)

    def test_a_label_of_ours_is_known_by_its_request(self) -> None:
        assert self.source(("source", b"catdogimage/3/9")) == Source(REQUESTS, 3, 9)

    def test_a_request_beyond_the_partitions_of_the_labels_comes_round(self) -> None:
        assert self.source(("source", b"catdogimage/11/9")) == Source(REQUESTS, 11, 9)

    @pytest.mark.parametrize(
        "header",
        [
            b"",
            b"nonsense",
            b"catdogimage/4/9",  # another partition's: would make its requests look counted
            b"catdoglabel/3/999999",  # our own topic: would make foreign records look counted
            b"another/3/9",  # a topic of its own would grow the table for ever
            b"catdogimage/3/-1",
            b"catdogimage/3/" + b"9" * 400,
            b"catdogimage/" + b"3" * 400 + b"/1",
            b"\xff\x00",
        ],
    )
    def test_a_header_that_cannot_be_right_is_not_believed(self, header: bytes) -> None:
        assert self.source(("source", header)) == self.OWN

    def test_a_record_without_the_header_is_known_by_its_own_place(self) -> None:
        assert self.source() == self.OWN
        assert self.source(("other", b"catdogimage/3/9")) == self.OWN


class TestNames:
    def test_the_verdict_is_the_label(self) -> None:
        assert label_of(b"whatever", (("verdict", b"cat"),)) == "cat"

    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("Probabilities: cat 99.9% dog 0.1%", "cat"),
            ("Probabilities: cat 0.1% dog 99.9%", "dog"),
            ("Probabilities: cat 100% dog 0%", "cat"),
            ("Vogel 70% cat 30%", "Vogel"),
        ],
    )
    def test_without_it_the_likelier_class_of_the_text_is(self, text: str, name: str) -> None:
        assert label_of(orjson.dumps({"label": text}), ()) == name

    @pytest.mark.parametrize(
        "value",
        [
            None,
            b"",
            b"{",
            b"[]",
            b"5",
            b'"label"',
            b"{}",
            b'{"label": null}',
            b'{"label": 5}',
            b'{"label": ""}',
            b'{"label": "no chance"}',
        ],
    )
    def test_what_tells_no_label_is_unknown(self, value: bytes | None) -> None:
        assert label_of(value, ()) == "unknown"

    @pytest.mark.parametrize("pattern", ["a", "1", "a ", "a 1", "a 1.", "1 1 "])
    def test_a_long_text_of_a_stranger_does_not_hold_up_the_worker(self, pattern: str) -> None:
        value = orjson.dumps({"label": pattern * (1_000_000 // len(pattern))})
        started = time.monotonic()
        assert label_of(value, ()) == "unknown"
        assert time.monotonic() - started < 5

    def test_names_are_cut_and_always_text(self) -> None:
        assert label_of(None, (("verdict", b"x" * 1000),)) == "x" * 64
        assert label_of(None, (("verdict", b"\xff"),)) == "\ufffd"
        long = orjson.dumps({"label": "y" * 1000 + " 50%"})
        assert label_of(long, ()) == "y" * 64

    def test_the_reason_of_a_rejection_is_its_header(self) -> None:
        assert reason_of((("reason", b"not_json"),)) == "not_json"
        assert reason_of((("reason", b"  "),)) == "unknown"
        assert reason_of(()) == "unknown"
