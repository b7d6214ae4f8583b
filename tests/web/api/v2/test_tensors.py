"""Tests of tensors in binary form."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.web.api.v2.tensors import packed_bytes, packed_floats, unpacked_bytes


@given(st.lists(st.binary(max_size=20), max_size=5))
def test_there_and_back(elements: list[bytes]) -> None:
    packed = memoryview(packed_bytes(elements))
    assert unpacked_bytes(packed, most=len(elements)) == elements


@pytest.mark.parametrize("data", [b"\0", b"\1\0\0\0", b"\xff\xff\xff\xffx", b"\1\0\0\0xx"])
def test_what_is_cut_off_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="ends within"):
        unpacked_bytes(memoryview(data), most=9)


def test_no_more_elements_than_there_may_be() -> None:
    with pytest.raises(ValueError, match="more elements"):
        unpacked_bytes(memoryview(bytes(4_000_000)), most=32)


def test_numbers_are_in_little_endian() -> None:
    assert packed_floats([1.0, 0.25]) == struct.pack("<dd", 1.0, 0.25)
