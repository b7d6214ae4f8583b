"""Binary form of tensors, from the protocol's extension ``binary_tensor_data``."""

import struct
from collections.abc import Iterable

__all__ = ["packed_bytes", "packed_floats", "unpacked_bytes"]

_LENGTH = struct.Struct("<I")


def packed_bytes(elements: Iterable[bytes]) -> bytes:
    """Pack a tensor of datatype BYTES: each element after its length."""
    return b"".join(_LENGTH.pack(len(element)) + element for element in elements)


def unpacked_bytes(data: memoryview, most: int) -> list[bytes]:
    """Unpack a tensor of datatype BYTES with at most ``most`` elements. Raise ``ValueError``."""
    elements = list[bytes]()
    at = 0
    while at < len(data):
        if at + _LENGTH.size > len(data):
            raise ValueError("it ends within a length")
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        if at + length > len(data):
            raise ValueError("it ends within an element")
        if len(elements) == most:
            raise ValueError("it has more elements than its shape says")
        elements.append(bytes(data[at : at + length]))
        at += length
    return elements


def packed_floats(numbers: Iterable[float]) -> bytes:
    """Pack a tensor of datatype FP64."""
    numbers = tuple(numbers)
    return struct.pack(f"<{len(numbers)}d", *numbers)
