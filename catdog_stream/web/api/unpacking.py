"""Decompression of request bodies: a few compressed bytes can become gigabytes."""

import zlib

from catdog_stream.web.api.problems import Problem

__all__ = ["PIECE_BYTES", "Unpacker"]

#: Maximum bytes decompressed at a time: about 1 ms of work.
PIECE_BYTES = 256 * 1024
#: Maximum number of gzip members in one body (RFC 1952, 2.2).
MAX_MEMBERS = 32

_GZIP, _ZLIB, _RAW = zlib.MAX_WBITS | 16, zlib.MAX_WBITS, -zlib.MAX_WBITS
#: Compression method in the first byte of a zlib stream (RFC 1950, 2.2).
_METHOD_MASK, _DEFLATED = 0x0F, 8


class Unpacker:
    """Decompressor of one body, piece by piece.

    Call its methods from one thread at a time; the thread may change.

    Args:
        coding: ``gzip`` or ``deflate``.
    """

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._stream: zlib._Decompress | None = None
        self._members = 0
        self._packed = b""

    def feed(self, packed: bytes) -> None:
        """Add received bytes; the previous bytes must have been decompressed."""
        self._packed = packed

    def piece(self) -> bytes:
        """Return at most ``PIECE_BYTES``; empty if more input is needed.

        Raises:
            Problem: the data is damaged.
        """
        unpacked = b""
        while self._packed and not unpacked:
            if self._stream is None or self._stream.eof:
                self._stream = self._begin()
            try:
                unpacked = self._stream.decompress(self._packed, PIECE_BYTES)
            except zlib.error:
                raise Problem(400, f"The body is not {self._coding}, or damaged.") from None
            # Input after the end of a member, or output that did not fit into the piece.
            self._packed = self._stream.unused_data or self._stream.unconsumed_tail
        return unpacked

    def finish(self) -> None:
        """Raise ``Problem`` if the body ended too early."""
        if self._stream is not None and not self._stream.eof:
            raise Problem(400, f"The body ends within its {self._coding}.")

    def _begin(self) -> "zlib._Decompress":
        self._members += 1
        if self._members > (MAX_MEMBERS if self._coding == "gzip" else 1):
            raise Problem(400, f"The body continues behind its {self._coding}.")
        if self._coding == "gzip":
            return zlib.decompressobj(_GZIP)
        # Some clients omit the zlib header.
        has_head = self._packed[0] & _METHOD_MASK == _DEFLATED
        return zlib.decompressobj(_ZLIB if has_head else _RAW)
