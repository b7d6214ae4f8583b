"""Unpacking of bodies with a content coding: a few bytes of one can become gigabytes."""

import zlib

from catdog_stream.web.api.problems import Problem

__all__ = ["PIECE_BYTES", "Unpacker"]

#: Bytes that are unpacked at a time: about a millisecond of work.
PIECE_BYTES = 256 * 1024
#: Streams of gzip in a row that make one body (RFC 1952, 2.2).
MAX_MEMBERS = 32

_GZIP, _ZLIB, _RAW = zlib.MAX_WBITS | 16, zlib.MAX_WBITS, -zlib.MAX_WBITS
#: Method of compression in the first byte of a stream of zlib (RFC 1950, 2.2).
_METHOD_MASK, _DEFLATED = 0x0F, 8


class Unpacker:
    """State of one body that is unpacked piece by piece.

    Its methods are called from one thread at a time, which need not be the same one.

    Args:
        coding: ``gzip`` or ``deflate``.
    """

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._stream: zlib._Decompress | None = None
        self._members = 0
        self._packed = b""

    def feed(self, packed: bytes) -> None:
        """Add bytes as they came; those before have been unpacked."""
        self._packed = packed

    def piece(self) -> bytes:
        """Return the next ``PIECE_BYTES`` at most; empty where there are none until more come.

        Raises ``Problem`` for what is damaged.
        """
        unpacked = b""
        while self._packed and not unpacked:
            if self._stream is None or self._stream.eof:
                self._stream = self._begin()
            try:
                unpacked = self._stream.decompress(self._packed, PIECE_BYTES)
            except zlib.error:
                raise Problem(400, f"The body is not {self._coding}, or damaged.") from None
            # What lies behind the end of a stream, or did not fit into the piece.
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
        # Some clients leave out the head of zlib.
        has_head = self._packed[0] & _METHOD_MASK == _DEFLATED
        return zlib.decompressobj(_ZLIB if has_head else _RAW)
