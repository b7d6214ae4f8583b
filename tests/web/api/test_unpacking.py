"""Tests of compressed bodies: they are decompressed in pieces, and damaged ones are refused."""

import gzip
import zlib

import pytest

from catdog_stream.web.api.problems import Problem
from catdog_stream.web.api.unpacking import MAX_MEMBERS, PIECE_BYTES, Unpacker
from tests.web.attacked_servers import bomb

DATA = bytes(range(256)) * 3000


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def unpacked(coding: str, packed: bytes, step: int) -> bytes:
    """Decompress data that arrives ``step`` bytes at a time."""
    unpacker, found = Unpacker(coding), b""
    for at in range(0, len(packed), step):
        unpacker.feed(packed[at : at + step])
        while piece := unpacker.piece():
            assert len(piece) <= PIECE_BYTES
            found += piece
    unpacker.finish()
    return found


@pytest.mark.parametrize("step", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(DATA)),
        ("gzip", gzip.compress(DATA[:1000]) + gzip.compress(DATA[1000:])),
        ("deflate", zlib.compress(DATA)),
        ("deflate", raw_deflate(DATA)),
    ],
)
def test_what_clients_send_is_unpacked(coding: str, packed: bytes, step: int) -> None:
    assert unpacked(coding, packed, step) == DATA


def test_an_empty_body_is_empty() -> None:
    assert unpacked("gzip", b"", 10) == b""
    assert unpacked("gzip", gzip.compress(b""), 10) == b""


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", DATA),
        ("gzip", gzip.compress(DATA)[:-1]),
        ("gzip", gzip.compress(DATA) + b"more"),
        ("gzip", gzip.compress(b"") * (MAX_MEMBERS + 1)),
        ("deflate", zlib.compress(DATA)[:-5]),
        ("deflate", zlib.compress(DATA) + zlib.compress(DATA)),
        ("deflate", b"\xff" * 100),
    ],
)
def test_what_is_damaged_is_refused(coding: str, packed: bytes) -> None:
    with pytest.raises(Problem) as caught:
        unpacked(coding, packed, 1000)
    assert caught.value.status == 400


def test_no_more_is_unpacked_than_is_taken() -> None:
    unpacker = Unpacker("gzip")
    unpacker.feed(bomb(1 << 30))
    assert len(unpacker.piece()) == len(unpacker.piece()) == PIECE_BYTES
