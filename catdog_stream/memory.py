"""Memory budgets of a worker, without its stack, and their worst case.

Everything that clients can make large has a budget here. Work beyond a budget waits: records stay
in Kafka (``delivery.fetch_budget``), pictures wait in their threads, uploads wait for their turn.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

__all__ = [
    "DECODING",
    "LARGEST_AT_ONCE",
    "LOOKUPS",
    "SENDING",
    "ByteBudget",
    "MemoryPlan",
    "decoding_bytes",
    "fetch_bytes",
    "parsing_bytes",
    "sending_bytes",
]

MIB = 1 << 20

#: Minimum bytes of one fetch; larger if a single record may be larger.
LEAST_FETCH = 6 * MIB
#: Number of fetches that fit into the budget of records.
FETCHES_HELD = 4
#: Bytes of a typical request; the budget always fits as many as may be processed at a time.
USUAL_RECORD = 64 * 1024
#: Copies of a fetch while it is received: the connection's buffer, the response, its records.
FETCH_COPIES = 3
#: Further copies of a record in the producer: in a batch, in a request, in a socket's buffer.
PRODUCER_COPIES = 3

#: Copies of a picture that is fetched by reference: as received, and as a whole.
REFERENCE_COPIES = 2

#: Maximum number of pictures of the largest size in one HTTP request, and of such requests at the
#: same time.
LARGEST_AT_ONCE = 4
REQUESTS_AT_ONCE = 2
#: Copies of an upload: as received, and as parsed.
UPLOAD_COPIES = 2
#: Bytes of pictures in transit from HTTP clients to Kafka, including copies.
SENDING = 48 * MIB
#: Maximum number of simultaneous lookups of images in Kafka.
LOOKUPS = 3

#: Peak bytes per pixel of decoding, by Pillow's name of the format. Measured with 25 megapixels of
#: each kind: 16-bit RGB PNG with a transparent color 11, CMYK JPEG 8.3, lossless WebP 16.2, GIF on
#: a canvas 13, BMP with masks 20. A progressive JPEG keeps its coefficients, too: 12.
PIXEL_BYTES = {"PNG": 13, "JPEG": 13, "WEBP": 17, "GIF": 14, "BMP": 24}
#: The same for other formats, which only HTTP accepts.
OTHER_PIXEL_BYTES = 17
#: Copies of a file while it is decoded, in addition to its pixels.
FILE_COPIES = 4
#: Bytes of a parsed JSON value in addition to its text: an object with one member takes twice that.
VALUE_BYTES = 128
#: Bytes per character of parsed JSON, and of the values read from it: a single character of 0xFFFF
#: or above makes every character of its text take four bytes.
ASCII_BYTES, UNICODE_BYTES = 2, 6
#: Bytes for decoding in all threads of a process; a picture that needs more is decoded alone.
DECODING_BYTES = 425 * MIB


def fetch_bytes(max_record_bytes: int) -> int:
    """Return the maximum bytes of one fetch, for records of up to ``max_record_bytes``.

    Kafka sends the first batch of records even if it is larger.
    """
    return max(LEAST_FETCH, max_record_bytes)


def decoding_bytes(pixels: int, file_size: int, name: str) -> int:
    """Return the peak memory of decoding, in bytes.

    Args:
        pixels: width times height.
        file_size: bytes of the file.
        name: Pillow's name of its format.
    """
    return PIXEL_BYTES.get(name, OTHER_PIXEL_BYTES) * pixels + FILE_COPIES * file_size


def sending_bytes(picture_size: int) -> int:
    """Return the bytes of memory for sending a picture to Kafka: base64 and its copies."""
    return (1 + PRODUCER_COPIES) * 4 * picture_size // 3


def parsing_bytes(text: bytes, values: int) -> int:
    """Return the bytes of memory for parsing JSON with ``values`` commas and brackets."""
    return VALUE_BYTES * values + (ASCII_BYTES if text.isascii() else UNICODE_BYTES) * len(text)


class ByteBudget:
    """Byte budget that threads share; a thread waits for its turn if the budget is used up.

    A thread that is alone may exceed the budget, so that no thread waits forever.

    Args:
        most: total bytes.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._used = 0
        self._changed = threading.Condition()
        #: Waiting threads in order, so that a large request is not overtaken forever by small ones.
        self._queue: deque[object] = deque()

    @property
    def used(self) -> int:
        """Bytes that are held now."""
        return self._used

    @contextmanager
    def held(self, size: int) -> Iterator[None]:
        """Hold ``size`` bytes in the block. A thread that holds bytes must not request more."""
        self._acquire(size)
        try:
            yield
        finally:
            with self._changed:
                self._used -= size
                if self._queue:
                    self._changed.notify_all()

    def _acquire(self, size: int) -> None:
        with self._changed:
            if self._queue or not self._has_room(size):
                turn = object()
                self._queue.append(turn)
                self._changed.wait_for(lambda: self._queue[0] is turn and self._has_room(size))
                self._queue.popleft()
                self._changed.notify_all()
            self._used += size

    def _has_room(self, size: int) -> bool:
        return not self._used or self._used + size <= self._most


#: Budget for parsing requests and decoding pictures, in all threads of this process.
DECODING = ByteBudget(DECODING_BYTES)


class SizeLimits(Protocol):
    """Largest sizes that the settings allow."""

    @property
    def max_image_bytes(self) -> int:
        """Bytes of a picture."""

    @property
    def max_image_pixels(self) -> int:
        """Pixels of a picture."""

    @property
    def max_request_bytes(self) -> int:
        """Bytes of a request."""

    @property
    def max_answer_bytes(self) -> int:
        """Bytes of an answer."""

    @property
    def fetch(self) -> object | None:
        """Sources of pictures outside Kafka; ``None`` if none is fetched."""


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Maximum bytes of memory for each part of a worker, without its stack."""

    #: One fetch.
    fetch: int
    #: Records that were fetched and have no answer yet.
    records: int
    #: Copies of records while they are fetched, and while they are written as rejections.
    record_copies: int
    #: Pictures that requests name by a reference, which are fetched and not classified yet.
    references: int
    #: Parsing of requests and decoding of pictures.
    decoding: int
    #: HTTP bodies by their size, and their copies.
    uploads: int
    upload_copies: int
    #: Pictures from HTTP clients that Kafka has not confirmed.
    sending: int
    #: Answers that are read for HTTP clients, and lookups.
    answers: int

    @classmethod
    def of(cls, limits: SizeLimits, *, in_flight: int = 0) -> "MemoryPlan":
        """Return the plan of a worker that processes at most ``in_flight`` requests at a time."""
        fetch = fetch_bytes(limits.max_answer_bytes)
        records = max(FETCHES_HELD * fetch, USUAL_RECORD * in_flight)
        picture = decoding_bytes(limits.max_image_pixels, limits.max_image_bytes, "WEBP")
        uploads = REQUESTS_AT_ONCE * LARGEST_AT_ONCE * limits.max_request_bytes
        sending = limits.max_request_bytes * (1 + PRODUCER_COPIES)
        return cls(
            fetch=fetch,
            records=records,
            record_copies=(FETCH_COPIES - 1) * fetch + PRODUCER_COPIES * records,
            references=records if limits.fetch is not None else 0,
            decoding=max(DECODING_BYTES, picture),
            uploads=uploads,
            upload_copies=(UPLOAD_COPIES - 1) * uploads,
            sending=max(SENDING, sending),
            answers=(1 + LOOKUPS) * FETCH_COPIES * fetch,
        )

    @property
    def total(self) -> int:
        """Sum of all parts."""
        return (
            self.records
            + self.record_copies
            + REFERENCE_COPIES * self.references
            + self.decoding
            + self.uploads
            + self.upload_copies
            + self.sending
            + self.answers
        )
