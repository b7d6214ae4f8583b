"""Tests that each answer is counted once, however often it is delivered."""

import time
from collections import Counter
from collections.abc import Iterable
from typing import Literal, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.delivery.counting import (
    MAX_COUNTS_TEXT,
    MAX_NAME,
    MAX_NAMES,
    MAX_NAMES_BYTES,
    OTHER,
    Shard,
    counted,
    counting_source,
    from_metadata,
    label_of,
    marked,
    reason_of,
    to_metadata,
)
from catdog_stream.delivery.marks import mark_of
from catdog_stream.messages.wire import Source

REQUESTS, LABELS = "catdogimage", "catdoglabel"
#: Kafka's default limit for the metadata of a committed offset.
KAFKAS_METADATA_BYTES = 4096

Kind = Literal["labels", "rejections"]
Answer = tuple[Kind, str]


def count_all(shard: Shard | None, answers: Iterable[tuple[int, Answer]]) -> Shard | None:
    """Return the shard after these answers to requests, which are identified by their offsets."""
    for offset, (kind, name) in answers:
        shard = counted(shard, kind, name, offset) or shard
    return shard


def totals(shard: Shard | None) -> Counter[Answer]:
    result: Counter[Answer] = Counter()
    if shard is not None:
        result.update({("labels", name): count for name, count in shard["labels"].items()})
        result.update({("rejections", name): count for name, count in shard["rejections"].items()})
    return result


answers = st.lists(
    st.sampled_from(
        [("labels", "cat"), ("labels", "dog"), ("rejections", "timeout"), ("rejections", "unknown")]
    ),
    max_size=40,
)


class TestCounting:
    @given(st.lists(st.tuples(answers, st.integers(0, 40))))
    def test_each_request_counts_once_wherever_workers_take_over(
        self, attempts: list[tuple[list[Answer], int]]
    ) -> None:
        """Let a successor start at the last commit and answer the later requests again.

        Its answers may differ: the model may have hung at the first try, for example. The committed
        answer is the one that counts.
        """
        shard: Shard | None = None
        truth: list[Answer] = []
        for attempt, commits in attempts:
            answered = list(enumerate(attempt, len(truth)))
            committed = count_all(shard, answered[:commits])
            count_all(committed, answered[commits:])  # published, and not committed
            truth += attempt[:commits]
            shard = from_metadata(to_metadata(committed) or "") if committed else None
        assert totals(shard) == Counter(truth)

    @given(answers, st.integers(0, 40))
    def test_what_is_delivered_again_counts_once(self, given: list[Answer], back: int) -> None:
        once = list(enumerate(given))
        again = once[max(0, len(once) - back) :]
        assert totals(count_all(None, once + again)) == Counter(given)

    def test_a_request_that_is_labelled_and_rejected_counts_once_as_what_came_first(self) -> None:
        shard = count_all(None, [(0, ("labels", "cat")), (0, ("rejections", "timeout"))])
        assert totals(shard) == {("labels", "cat"): 1}

    def test_offsets_with_gaps_count_too(self) -> None:
        # Transactions and compaction leave gaps in Kafka's offsets.
        cats: list[tuple[int, Answer]] = [
            (offset, ("labels", "cat")) for offset in (7, 7, 9, 7, 30)
        ]
        assert totals(count_all(None, cats)) == {("labels", "cat"): 3}

    def test_the_first_offset_of_all_counts(self) -> None:
        assert counted(None, "labels", "cat", 0) is not None

    def test_a_shard_is_never_changed_in_place(self) -> None:
        # A commit in progress must not change.
        shard = counted(None, "labels", "cat", 0)
        assert shard is not None
        before = to_metadata(shard)
        counted(shard, "labels", "dog", 1)
        assert to_metadata(shard) == before


class TestMetadata:
    def test_a_shard_comes_back_as_it_was(self) -> None:
        shard: Shard = {"labels": {"cat": 2}, "rejections": {"too_large": 1}, "offset": 7}
        assert from_metadata(to_metadata(shard) or "") == shard

    def test_its_marks_come_back_but_for_what_is_none(self) -> None:
        shard: Shard = {"labels": {"cat": 2}, "rejections": {}, "offset": 7}
        shard = marked(shard, mark_of(6, 1_700_000_000.0, b"value"))
        assert from_metadata(to_metadata(shard) or "") == shard
        document = orjson.loads(to_metadata(shard) or "")
        document["marks"][1:] = ["x"]
        again = from_metadata(orjson.dumps(document).decode())
        assert again is not None
        assert again["marks"] == shard["marks"][:1]

    @pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"labels": [], "offset": 1}', "null"])
    def test_what_another_client_committed_is_no_shard(self, text: str) -> None:
        assert from_metadata(text) is None

    @given(st.lists(st.text(min_size=1), min_size=1, max_size=200, unique=True))
    def test_however_many_and_odd_the_names_kafka_takes_the_text_or_there_is_none(
        self, names: list[str]
    ) -> None:
        shard: Shard | None = None
        answers = [(kind, name) for name in names for kind in ("labels", "rejections")]
        for offset, (kind, name) in enumerate(answers, 10**17):
            header = (("verdict", name.encode("utf-8", "replace") * 20),)
            shard = counted(shard, cast(Kind, kind), label_of(None, header), offset) or shard
        assert shard is not None
        text = to_metadata(shard)
        assert (text is None) == (len(orjson.dumps(shard)) > MAX_COUNTS_TEXT)
        assert text is None or len(text.encode()) < KAFKAS_METADATA_BYTES

    def test_names_beyond_the_limit_count_as_other(self) -> None:
        shard: Shard = {
            "labels": {f"name {n}": 1 for n in range(MAX_NAMES - 1)},
            "rejections": {},
            "offset": 1,
        }
        for offset in range(1, 52):
            shard = counted(shard, "labels", f"name x{offset}", offset) or shard
        assert shard["labels"]["name x1"] == 1, "there was room for one"
        assert shard["labels"][OTHER] == 50
        assert sum(shard["labels"].values()) == MAX_NAMES + 50

    def test_the_longest_names_stay_within_a_record_of_kafka(self) -> None:
        shard: Shard | None = None
        for offset in range(MAX_NAMES_BYTES // (4 * MAX_NAME - 20)):
            shard = counted(shard, "labels", f"{offset:05}".ljust(MAX_NAME, "\U00010000"), offset)
        assert shard is not None
        assert shard["labels"][OTHER]
        assert len(orjson.dumps(shard)) < MAX_NAMES_BYTES + 1000


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
        assert label_of(None, (("verdict", b"x" * 1000),)) == "x" * MAX_NAME
        assert label_of(None, (("verdict", b"\xff"),)) == "\ufffd"
        assert label_of(None, (("verdict", "\x1b[2J\u202e".encode()),)) == "?[2J?"
        long = orjson.dumps({"label": "y" * 1000 + " 50%"})
        assert label_of(long, ()) == "y" * MAX_NAME

    def test_the_reason_of_a_rejection_is_its_header(self) -> None:
        assert reason_of((("reason", b"not_json"),)) == "not_json"
        assert reason_of((("reason", b"  "),)) == "unknown"
        assert reason_of(()) == "unknown"
