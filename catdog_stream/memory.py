"""Memory of a worker beside its stack: the worst case, and what keeps to it.

Everything that clients can make large has a budget here. What finds no room waits: records stay in
Kafka (``delivery.fetch_budget``), pictures wait in their threads, uploads wait for their turn.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catdog_stream.settings import Settings

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

#: Bytes of one fetch, unless a single record may be larger.
LEAST_FETCH = 6 * MIB
#: Fetches that fit into the budget of records.
FETCHES_HELD = 4
#: Bytes of a request that is usual; as many as may be processed at a time always fit.
USUAL_RECORD = 64 * 1024
#: Copies of a fetch while it is received: the connection's buffer, the response, its records.
FETCH_COPIES = 3
#: Copies of a record beside itself that the producer makes: a batch, a request, a socket's buffer.
PRODUCER_COPIES = 3

#: Pictures of the largest size that one request over HTTP may hold, and requests of this size that
#: may come at the same time.
LARGEST_AT_ONCE = 4
REQUESTS_AT_ONCE = 2
#: Copies of an upload: as it is received, and as it is read.
UPLOAD_COPIES = 2
#: Bytes of what is being sent to Kafka for clients over HTTP, with its copies.
SENDING = 48 * MIB
#: Look-ups of images that read Kafka at a time.
LOOKUPS = 3

#: Bytes that decoding takes for each pixel at its peak, by Pillow's name of the format. Measured
#: with 25 megapixels of each kind: 16-bit RGB PNG with a transparent color 11, CMYK JPEG 8.3,
#: lossless WebP 16.2, GIF on a canvas 13, BMP with masks 20.
PIXEL_BYTES = {"PNG": 13, "JPEG": 9, "WEBP": 17, "GIF": 14, "BMP": 24}
#: The same for other formats, which come over HTTP alone.
OTHER_PIXEL_BYTES = 17
#: Copies of a file while it is decoded, beside its pixels.
FILE_COPIES = 4
#: Bytes of a parsed value of JSON beside its text: an object with one member takes two of them.
VALUE_BYTES = 128
#: Bytes of a parsed character of JSON, and of what is read of it: one of 0xFFFF or above makes
#: each character of its text take four.
ASCII_BYTES, UNICODE_BYTES = 2, 6
#: Bytes for decoding in a process, for all its threads; one picture that needs more is alone.
DECODING_BYTES = 425 * MIB


def fetch_bytes(max_record_bytes: int) -> int:
    """Return the most bytes that one fetch may bring, where a record may have ``max_record_bytes``.

    Kafka sends a first batch of records that is larger all the same.
    """
    return max(LEAST_FETCH, max_record_bytes)


def decoding_bytes(pixels: int, file_size: int, name: str) -> int:
    """Return the memory that decoding takes at its peak, in bytes.

    Args:
        pixels: width times height.
        file_size: bytes of the file.
        name: Pillow's name of its format.
    """
    return PIXEL_BYTES.get(name, OTHER_PIXEL_BYTES) * pixels + FILE_COPIES * file_size


def sending_bytes(picture_size: int) -> int:
    """Return the memory that sending a picture to Kafka takes, in bytes: base64 and its copies."""
    return (1 + PRODUCER_COPIES) * 4 * picture_size // 3


def parsing_bytes(text: bytes, values: int) -> int:
    """Return the memory that parsing JSON takes, in bytes, with ``values`` commas and brackets."""
    return VALUE_BYTES * values + (ASCII_BYTES if text.isascii() else UNICODE_BYTES) * len(text)


class ByteBudget:
    """Bytes that threads share: who finds no room waits for its turn.

    Whoever is alone has all the room it needs, so that nothing waits for ever.

    Args:
        most: bytes in all.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._used = 0
        self._changed = threading.Condition()
        #: Those who wait, in their order: a large one must not wait for ever behind small ones.
        self._queue: deque[object] = deque()

    @property
    def used(self) -> int:
        """Bytes that are held now."""
        return self._used

    @contextmanager
    def held(self, size: int) -> Iterator[None]:
        """Hold ``size`` bytes in the block; who holds some must not ask for more."""
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


#: For reading requests and decoding pictures, in every thread of this process.
DECODING = ByteBudget(DECODING_BYTES)


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Most bytes that each part of a worker takes, beside its stack."""

    #: Of one fetch.
    fetch: int
    #: Records that were fetched and are not answered.
    records: int
    #: Copies of them while they are fetched, and while they are written again as rejections.
    record_copies: int
    #: Reading requests and decoding pictures.
    decoding: int
    #: Bodies that come over HTTP, as they are counted, and their copies.
    uploads: int
    upload_copies: int
    #: What clients over HTTP have sent and Kafka has not confirmed.
    sending: int
    #: Answers that are read for these clients, and look-ups.
    answers: int

    @classmethod
    def of(cls, settings: "Settings", *, in_flight: int = 0) -> "MemoryPlan":
        """Return the plan of a worker that processes ``in_flight`` requests at a time at most."""
        fetch = fetch_bytes(settings.max_answer_bytes)
        records = max(FETCHES_HELD * fetch, USUAL_RECORD * in_flight)
        picture = decoding_bytes(settings.max_image_pixels, settings.max_image_bytes, "WEBP")
        uploads = REQUESTS_AT_ONCE * LARGEST_AT_ONCE * settings.max_request_bytes
        sending = settings.max_request_bytes * (1 + PRODUCER_COPIES)
        return cls(
            fetch=fetch,
            records=records,
            record_copies=(FETCH_COPIES - 1) * fetch + PRODUCER_COPIES * records,
            decoding=max(DECODING_BYTES, picture),
            uploads=uploads,
            upload_copies=(UPLOAD_COPIES - 1) * uploads,
            sending=max(SENDING, sending),
            answers=(1 + LOOKUPS) * FETCH_COPIES * fetch,
        )

    @property
    def total(self) -> int:
        """All of it together."""
        return (
            self.records
            + self.record_copies
            + self.decoding
            + self.uploads
            + self.upload_copies
            + self.sending
            + self.answers
        )
