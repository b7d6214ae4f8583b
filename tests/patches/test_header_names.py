"""Tests of records whose header names are not UTF-8: they can be read."""

from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.structs import TopicPartition

from catdog_stream.patches import header_names

COMPRESSIONS = [0, 1]  # none, gzip


def batch(first: int, names: list[str], compression: int) -> bytes:
    """Return a record batch as Kafka stores it: one record for each name, with one header."""
    builder = DefaultRecordBatchBuilder(2, compression, 0, -1, -1, 0, 1_000_000)
    for number, name in enumerate(names):
        builder.append(number, None, b"k", b"v%d" % (first + number), [(name, b"x")])
    data = bytearray(builder.build())
    data[:8] = first.to_bytes(8, "big")
    return bytes(data)


def fetched(data: bytes, offset: int) -> Any:
    return fetcher.PartitionRecords(
        TopicPartition("t", 0), fetcher.MemoryRecords(data), None, offset, None, None, False, 0
    )


@pytest.fixture(autouse=True)
def _repaired(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MemoryRecords", "PartitionRecords"):
        monkeypatch.setattr(fetcher, name, getattr(fetcher, name))
    header_names.install()


def spoiled(data: bytes) -> bytes:
    """Replace each Q by a byte that UTF-8 never has."""
    return data.replace(b"Q", b"\xff")


@pytest.mark.parametrize("start", range(7))
def test_a_record_with_such_a_name_is_read_in_its_place_and_no_other_is_read_twice(
    start: int,
) -> None:
    batches = {
        1: batch(0, ["a", "b"], 0),
        4: spoiled(batch(2, ["c", "dQd", "e"], 0)),
        5: batch(5, ["f"], 0),
        6: spoiled(batch(6, ["Q"], 0)),
    }
    # Kafka returns the batch with the first requested record, and the batches behind it.
    data = b"".join(batch for last, batch in batches.items() if last >= start)
    records = fetched(data, start)
    names = ["a", "b", "c", "d\ufffdd", "e", "f", "\ufffd"]
    read = [(record.offset, record.value, record.headers) for record in records]
    assert read == [
        (number, b"v%d" % number, ((names[number], b"x"),)) for number in range(start, 7)
    ]
    assert records.next_fetch_offset == 7


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_other_names_are_read_as_ever(compression: int) -> None:
    (record,) = fetched(batch(0, ["\U0001f408"], compression), 0)
    assert record.headers == (("\U0001f408", b"x"),)


def test_aiokafka_cannot_read_it() -> None:
    """Remove the patch when this fails: see docs/upstream.md."""
    (stock,) = header_names.PartitionRecords.__bases__
    records = fetcher.MemoryRecords(spoiled(batch(0, ["Q"], 0)))
    with pytest.raises(UnicodeDecodeError):
        next(stock(TopicPartition("t", 0), records, None, 0, None, None, False, 0))
