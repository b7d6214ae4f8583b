"""Patch: aiokafka reads records whose headers have names that are not UTF-8.

Fault (aiokafka 0.14): it decodes the names of headers strictly. Clients in C and Go can write other
names, and Kafka does not check them. One such record raises ``UnicodeDecodeError`` from the
consumer each time that it is read: the partition is blocked forever.

Repair: a batch that cannot be decoded strictly is read again by aiokafka's Python implementation,
from the record on, with U+FFFD in place of bytes that are not UTF-8, as Kafka's own client does. A
batch that cannot be read at all, because it is damaged, is reported with its place.
"""

from typing import Any, SupportsIndex, overload

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy

from catdog_stream.errors import UnreadableError


class KeptRecords(MemoryRecords):  # type: ignore[misc]  # aiokafka is untyped
    """`MemoryRecords` that keeps its bytes."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data


class PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    """Iterator over the fetched records of one partition, with header names of any bytes."""

    _records: Any

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except UnicodeDecodeError:
            self._records = _LenientRecords(self._records.data, self.next_fetch_offset)
            self._records_iterator = self._unpack_records()
            return super().__next__()
        except StopIteration:
            raise
        except Exception as error:
            raise UnreadableError(
                f"The records of {self._tp.topic}, partition {self._tp.partition}, from offset "
                f"{self.next_fetch_offset} on cannot be read ({error}); docs/operations.md tells "
                "how to go on."
            ) from error


def install() -> None:
    """Patch every consumer of this process."""
    fetcher.MemoryRecords = KeptRecords
    fetcher.PartitionRecords = PartitionRecords


class _Text(bytearray):
    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)


class _Buffer(bytearray):
    """Bytes whose slices decode leniently."""

    @overload
    def __getitem__(self, index: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> bytearray: ...
    def __getitem__(self, index: SupportsIndex | slice) -> int | bytearray:
        found = super().__getitem__(index)
        return _Text(found) if isinstance(found, bytearray) else found


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _Buffer(self._buffer)


class _LenientRecords(_MemoryRecordsPy):  # type: ignore[misc]
    """Batches of `data` that hold records from `offset` on."""

    def __init__(self, data: bytes, offset: int) -> None:
        super().__init__(data)
        while self.has_next() and _LenientBatch(self._next_slice).next_offset <= offset:
            self._cache_next()

    def next_batch(self) -> _LenientBatch:
        batch = _LenientBatch(self._next_slice)
        self._cache_next()
        return batch
