"""Marks of records, which identify a partition's log after a loss.

An offset alone does not identify a record: a log whose disk was lost starts again at 0, and so does
a topic that was deleted and created again. A mark is the offset of an answered record with its time
and a checksum. A few marks are committed with the counts: the newest, and older ones at growing
distances. If an unclean election has truncated a log, they show up to where it is still the old
log.
"""

import zlib
from collections.abc import Sequence

__all__ = ["Mark", "is_mark", "mark_of", "remembered"]

#: Offset, milliseconds since the epoch (-1 if the record has no time), CRC-32.
Mark = list[int]

#: For each distance, the newest mark is kept whose offset is a multiple of the distance.
DISTANCES = (1, 16, 256, 4096, 65536)
#: Bytes at the end of a value that the checksum covers, besides the value's length. A picture has
#: some millions of bytes, and its end differs as much as the whole.
CHECKED_BYTES = 1024


def mark_of(offset: int, timestamp: float | None, value: bytes | None) -> Mark:
    """Return the mark of a record.

    Args:
        offset: offset of the record.
        timestamp: seconds since the epoch, as Faust has them: Kafka's milliseconds, divided by
            1000. Arbitrary times, set by a client, may not convert back exactly, but always to
            the same number.
        value: value of the record.
    """
    tail = zlib.crc32((value or b"")[-CHECKED_BYTES:])
    checksum = zlib.crc32(str(len(value or b"")).encode(), tail)
    return [offset, -1 if timestamp is None else round(timestamp * 1000), checksum]


def remembered(marks: Sequence[Mark] | None, mark: Mark) -> list[Mark]:
    """Return the marks to keep, newest first, after ``mark`` is added to ``marks``."""
    before = marks or [mark] * len(DISTANCES)
    return [
        mark if mark[0] % distance == 0 else kept
        for distance, kept in zip(DISTANCES, before, strict=False)
    ]


def is_mark(value: object) -> bool:
    """Return whether ``value``, from JSON that another program may have written, is a mark."""
    return (
        isinstance(value, list)
        and len(value) == len(("offset", "time", "checksum"))
        and all(type(number) is int for number in value)
        and value[0] >= 0
    )
