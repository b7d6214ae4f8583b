"""Malicious requests and requests of broken clients: the same ones each time.

`cases` and `odd_cases` create them: pictures that are cut, flipped, spliced or state a wrong size;
values that are no JSON or no request; keys, headers and texts of absurd size.
"""

import base64
import binascii
import io
import json
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from tests.support.client import Message, request
from tests.support.odd_batches import NotUtf8

SEED = 20
MEGABYTE = 1024 * 1024
LABEL = "label"


@dataclass(frozen=True)
class Case:
    """Request with its expected result.

    `expected` is ``label``, a rejection's reason, or None where either will do.
    """

    name: str
    message: Message
    expected: str | None = None


def cases() -> list[Case]:
    """Return all cases but the largest, in an order that mixes them."""
    chance = random.Random(SEED)
    every = [
        *_damaged_pictures(chance),
        *_mixed_formats(),
        *_lying_headers(),
        *_bombs(),
        *_broken_base64(chance),
        *_wrong_types(chance),
        *_no_json(chance),
        *_around_the_value(chance),
    ]
    chance.shuffle(every)
    return every


def odd_cases() -> list[Case]:
    """Return records that usual clients do not send: of 6 to 50 MB, empty, or with invalid names.

    Topics accept the large ones only compressed: their limit is one of compressed bytes.
    """
    picture = request(_pictures()["JPEG"])
    heavy = 6 * MEGABYTE
    return [
        *(
            Case(
                f"{kind}, {size} MB", Message(request(start + bytes(size * MEGABYTE))), "too_large"
            )
            for size in (6, 12, 20, 50)
            for kind, start in (("zeros", b""), ("PNG", b"\x89PNG\r\n\x1a\n"))
        ),
        Case("neither key nor value", Message(None), "not_json"),
        Case(
            "a header's name that is not UTF-8",
            Message(picture, headers=[(NotUtf8("name"), b"x")]),
            LABEL,
        ),
        Case("50 MB of brackets", Message(b"[" * 50 * MEGABYTE), "too_large"),
        Case("50 MB of nulls", Message(b"[" + b"null," * 10 * MEGABYTE + b"null]"), "too_large"),
        Case("50 MB of line breaks", Message(_value(data="\n" * 25 * MEGABYTE)), "too_large"),
        # No label can carry these headers.
        Case("a heavy url", Message(request(_pictures()["JPEG"], "u" * heavy)), "too_large"),
        Case("a heavy key", Message(picture, key=b"k" * heavy), "too_large"),
        Case("a heavy header", Message(picture, headers=[("h", b"h" * heavy)]), "too_large"),
        Case("a heavy key and no JSON", Message(b"{", key=b"k" * heavy), "not_json"),
        Case(
            "a heavy header and no JSON", Message(b"{", headers=[("h", b"h" * heavy)]), "not_json"
        ),
    ]


def _file(image: Image.Image, file_format: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()


def _pictures() -> dict[str, bytes]:
    """Return small valid pictures, in many forms of each format."""
    generator = np.random.default_rng(SEED)
    noise = Image.fromarray(generator.integers(0, 256, (32, 48, 4), np.uint8))
    rgb, grey = noise.convert("RGB"), noise.convert("L")
    frames: dict[str, Any] = {"save_all": True, "append_images": [rgb.rotate(90), rgb.rotate(180)]}
    return {
        "PNG": _file(rgb, "PNG"),
        "PNG with alpha": _file(noise, "PNG"),
        "PNG palette": _file(rgb.quantize(), "PNG"),
        "PNG bits": _file(grey.convert("1"), "PNG"),
        "PNG 16 bit": _file(grey.convert("I;16"), "PNG"),
        "PNG animated": _file(rgb, "PNG", **frames),
        "JPEG": _file(rgb, "JPEG"),
        "JPEG progressive": _file(rgb, "JPEG", progressive=True),
        "JPEG grey": _file(grey, "JPEG"),
        "JPEG CMYK": _file(rgb.convert("CMYK"), "JPEG"),
        "WEBP": _file(rgb, "WEBP"),
        "WEBP lossless": _file(noise, "WEBP", lossless=True),
        "WEBP animated": _file(rgb, "WEBP", **frames),
        "GIF": _file(rgb, "GIF"),
        "GIF animated": _file(rgb, "GIF", **frames),
        "BMP": _file(rgb, "BMP"),
        "BMP palette": _file(rgb.quantize(), "BMP"),
        "BMP bits": _file(grey.convert("1"), "BMP"),
    }


def _damaged_pictures(chance: random.Random) -> Iterator[Case]:
    damages: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
        "cut": (12, lambda data: data[: chance.randrange(len(data))]),
        "bits flipped": (14, lambda data: _flip(data, chance, len(data))),
        "header flipped": (14, lambda data: _flip(data, chance, min(64, len(data)))),
        "extreme bytes": (12, lambda data: _overwrite(data, chance)),
        "middle missing": (4, lambda data: _without_middle(data, chance)),
        "middle doubled": (4, lambda data: _with_middle_twice(data, chance)),
        "more behind it": (3, lambda data: data + chance.randbytes(chance.randrange(1, 5000))),
    }
    for name, picture in _pictures().items():
        yield Case(f"{name}, as it should be", Message(request(picture)), LABEL)
        for damage, (times, apply) in damages.items():
            for number in range(times):
                yield Case(f"{name}, {damage}, {number}", Message(request(apply(picture))))


def _flip(data: bytes, chance: random.Random, end: int) -> bytes:
    flipped = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        flipped[chance.randrange(end)] ^= 1 << chance.randrange(8)
    return bytes(flipped)


def _overwrite(data: bytes, chance: random.Random) -> bytes:
    start, length = chance.randrange(len(data)), chance.choice((1, 2, 4, 8))
    return data[:start] + chance.choice((b"\0", b"\xff", b"\x7f")) * length + data[start + length :]


def _middle(data: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(data) - 1)
    return start, chance.randrange(start + 1, len(data))


def _without_middle(data: bytes, chance: random.Random) -> bytes:
    start, end = _middle(data, chance)
    return data[:start] + data[end:]


def _with_middle_twice(data: bytes, chance: random.Random) -> bytes:
    start, end = _middle(data, chance)
    return data[:end] + data[start:]


def _mixed_formats() -> Iterator[Case]:
    """Yield the first bytes of one format with the rest of another."""
    pictures = _pictures()
    for first in ("PNG", "JPEG", "WEBP", "GIF", "BMP"):
        for second, data in pictures.items():
            if not second.startswith(first):
                for length in (3, 12, 30):
                    mixed = pictures[first][:length] + data[length:]
                    yield Case(f"{length} bytes {first}, then {second}", Message(request(mixed)))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png(width: int, height: int, *chunks: bytes, bits: int = 8, colour: int = 2) -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks)


def _headers(width: int, height: int) -> dict[str, bytes]:
    """Return each format's header with any size, without data that would fill the picture."""
    pictures = _pictures()
    small, large = struct.pack("<HH", width & 0xFFFF, height & 0xFFFF), (width, height)
    jpeg = pictures["JPEG"]
    size_at = jpeg.index(b"\xff\xc0") + 5
    canvas = b"".join(struct.pack("<I", (side - 1) & 0xFFFFFF)[:3] for side in large)
    lossless = (width - 1 & 0x3FFF) | (height - 1 & 0x3FFF) << 14
    bitmap = struct.pack("<IIIIiiHHIIIIII", 99, 0, 54, 40, *large, 1, 24, *[0] * 6)
    swapped = struct.pack(">HH", height & 0xFFFF, width & 0xFFFF)
    return {
        "PNG": _png(width, height, _chunk(b"IDAT", zlib.compress(bytes(100)))),
        "JPEG": jpeg[:size_at] + swapped + jpeg[size_at + 4 :],
        "GIF": pictures["GIF"][:6] + small + pictures["GIF"][10:],
        "BMP": b"BM" + bitmap + bytes(100),
        "WEBP": b"RIFF\xff\xff\0\0WEBPVP8X" + struct.pack("<II", 10, 0) + canvas + bytes(50),
        "WEBP lossless": b"RIFF\xff\xff\0\0WEBPVP8L"
        + struct.pack("<IBI", 10, 0x2F, lossless)
        + bytes(50),
        "WEBP lossy": b"RIFF\xff\xff\0\0WEBPVP8 "
        + struct.pack("<I", 20)
        + b"\x10\0\0\x9d\x01\x2a"
        + small
        + bytes(50),
    }


def _lying_headers() -> Iterator[Case]:
    for width, height in (
        (65_535, 65_535),
        (65_535, 1),
        (1, 65_535),
        (0, 0),
        (0, 65_535),
        (5_000, 4_999),
        (16_383, 16_383),
        (2**31 - 1, 2**31 - 1),
    ):
        for name, data in _headers(width, height).items():
            expected = "too_many_pixels" if (width, height) == (65_535, 65_535) else None
            yield Case(f"{name} of {width} x {height}", Message(request(data)), expected)


def _bombs() -> Iterator[Case]:
    """Yield few bytes that decompress to many."""
    for name, image, file_format in (
        ("bits", Image.new("1", (20_000, 20_000)), "PNG"),
        ("greys", Image.new("L", (6_000, 6_000)), "GIF"),
        ("greys", Image.new("L", (6_000, 6_000)), "JPEG"),
        ("colours", Image.new("RGB", (6_000, 6_000)), "WEBP"),
    ):
        data = _file(image, file_format)
        yield Case(f"{file_format} bomb of {name}", Message(request(data)), "too_many_pixels")
    # Just below the limit: these are decoded, one after the other.
    for file_format in ("PNG", "JPEG", "GIF"):
        data = _file(Image.new("L", (5_000, 4_999)), file_format)
        yield Case(f"{file_format} just small enough", Message(request(data)), LABEL)
    bomb = zlib.compress(bytes(100 * MEGABYTE))
    pixels = _chunk(b"IDAT", zlib.compress(bytes(100)))
    for kind in (b"zTXt", b"iTXt", b"iCCP"):
        packed = b"x\0" + (b"\x01\0\0\0" if kind == b"iTXt" else b"\0") + bomb
        data = _png(8, 8, _chunk(kind, packed), pixels)
        yield Case(f"PNG bomb in {kind.decode()}", Message(request(data)))
    data = _png(8, 8, _chunk(b"IDAT", bomb))
    yield Case("PNG with 100 MB for 64 pixels", Message(request(data)))
    data = _png(8, 8, *[_chunk(b"tEXt", b"x\0y")] * 100_000, pixels)
    yield Case("PNG of many chunks", Message(request(data)))
    frames = _pictures()["GIF animated"]
    yield Case("GIF of many frames", Message(request(frames[:-1] + frames[13:-1] * 300 + b";")))


def _value(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def _broken_base64(chance: random.Random) -> Iterator[Case]:
    good = base64.b64encode(_pictures()["JPEG"]).decode()
    yield Case(
        "base64 with line breaks",
        Message(_value(data=base64.encodebytes(_pictures()["JPEG"]).decode())),
        LABEL,
    )
    yield Case("base64 that is empty", Message(_value(url="x", data="")), "missing_data")
    yield Case("base64 of nothing but white", Message(_value(url="x", data=" \n\t ")))
    for text in ("=", "==", "====", "A", "AA", "AAA", "A===", "AA=A", "=AAA", "AAAA====", "-_-_"):
        yield Case(f"base64 {text}", Message(_value(url="x", data=text)))
    yield Case("base64 twice", Message(_value(data=base64.b64encode(good.encode()).decode())))
    yield Case("hex", Message(_value(data=binascii.hexlify(good.encode()).decode())))
    yield Case("a data URL", Message(_value(data=f"data:image/jpeg;base64,{good}")), LABEL)
    strange = "*-_.!\0\x7f\xe9\u0661\u200b\uff21\U0001f408"
    for number, character in enumerate(strange):
        for place in (0, len(good) // 2, len(good)):
            data = good[:place] + character + good[place:]
            yield Case(
                f"base64, stranger {number} at {place}", Message(_value(data=data)), "bad_base64"
            )
    for number in range(60):
        cut = good[: chance.randrange(len(good))]
        yield Case(f"base64 cut, {number}", Message(_value(url="x", data=cut)))
        place = chance.randrange(len(good))
        data = good[:place] + "=" * chance.randint(1, 3) + good[place:]
        yield Case(f"base64 padded in the middle, {number}", Message(_value(data=data)))


_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 10**18, "", "x", "\0", [], [None], {}),
    *({"data": "QQ=="}, ["QQ=="], [[[[]]]], "\u202e\U0001f408", "a" * 10_000),
)


def _wrong_types(chance: random.Random) -> Iterator[Case]:
    good = base64.b64encode(_pictures()["JPEG"]).decode()
    for number, value in enumerate(_VALUES):
        for field in ("label", "url", "data", "extra"):
            body = {"label": None, "url": "x", "data": good, field: value}
            yield Case(f"{field} is value {number}", Message(_value(**body)))
        yield Case(f"nothing but value {number}", Message(json.dumps(value).encode()))
    for number in range(150):
        names = chance.sample(("label", "url", "data", "Data", "", "a\0b", "\U0001f415"), k=4)
        body = {name: chance.choice(_VALUES) for name in names}
        yield Case(f"random object {number}", Message(_value(**body)))


def _no_json(chance: random.Random) -> Iterator[Case]:
    good = request(_pictures()["PNG"])
    text = good.decode()
    yield Case("an empty value", Message(b""), "not_json")
    for name, value in {
        "with a byte order mark": b"\xef\xbb\xbf" + good,
        "in UTF-16": text.encode("utf-16"),
        "in UTF-32": text.encode("utf-32"),
        "twice": good * 2,
        "with something behind it": good + b"x",
        "with a NUL behind it": good + b"\0",
        "with a comment": b"/* */" + good,
        "with single quotes": good.replace(b'"', b"'"),
        "with a comma too many": good[:-1] + b",}",
        "with NaN": good[:-1] + b', "n": NaN}',
        "with infinity": good[:-1] + b', "n": -Infinity}',
        "an overlong slash": b'{"url": "\xc0\xaf", "data": "QQ=="}',
        "a surrogate in UTF-8": b'{"url": "\xed\xa0\x80", "data": "QQ=="}',
        "beyond Unicode": b'{"url": "\xf5\x80\x80\x80", "data": "QQ=="}',
        "a lone high surrogate": b'{"url": "\\ud800", "data": "QQ=="}',
        "a lone low surrogate": b'{"url": "\\udc00x", "data": "QQ=="}',
        "a lone surrogate as a field": b'{"\\ud800": 1, "data": "QQ=="}',
        "a control character": b'{"url": "\x01", "data": "QQ=="}',
        "an escape that is none": b'{"url": "\\x41", "data": "QQ=="}',
        "pickled": b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x02os\x94",
    }.items():
        yield Case(f"JSON {name}", Message(value), "not_json")
    for name, value in {
        "with a huge number": good[:-1] + b', "n": ' + b"9" * 5_000 + b"}",
        "with a huge exponent": good[:-1] + b', "n": 1e999999999}',
        "with fields twice": good[:-1] + b", " + good[1:],
        "with 100,000 fields": _value(**{str(number): 0 for number in range(100_000)}),
        "with a field's name of 1 MB": _value(**{"a" * MEGABYTE: 0}),
        "with a pair of surrogates": b'{"url": "\\ud83d\\udc08", "data": "QQ=="}',
    }.items():
        yield Case(f"JSON {name}", Message(value))
    for depth in (10, 1_000, 1_025, 100_000, 400_000):
        for name, opening, middle, closing in (
            ("arrays", b"[", b"", b"]"),
            ("objects", b'{"a":', b"1", b"}"),
            ("unclosed arrays", b"[", b"", b""),
            ("mixed", b'[{"data":', b"0", b"}]"),
        ):
            deep = opening * depth + middle + closing * depth
            yield Case(f"{depth} {name}", Message(deep))
            inside = good[:-1] + b', "extra": ' + deep + b"}"
            yield Case(f"{depth} {name} inside", Message(inside))
    for number in range(150):
        yield Case(f"noise {number}", Message(chance.randbytes(chance.randrange(1, 3000))))
        yield Case(f"JSON cut {number}", Message(good[: chance.randrange(len(good))]), "not_json")
        yield Case(f"JSON flipped {number}", Message(_flip(good, chance, len(good))))


def _around_the_value(chance: random.Random) -> Iterator[Case]:
    """Yield good pictures with bad keys, headers, urls or times."""
    good = request(_pictures()["JPEG"])
    for name, key in {
        "no": None,
        "an empty": b"",
        "an odd": b"\xff\0\n",
        "a large": b"k" * MEGABYTE,
    }.items():
        yield Case(f"{name} key", Message(good, key=key), LABEL)
        if key is not None:
            yield Case(f"{name} key and no value", Message(None, key=key), "not_json")
    for name, headers in {
        "10,000 headers": [(f"h{number}", b"x") for number in range(10_000)],
        "the same header 1,000 times": [("h", b"x")] * 1_000,
        "a header's name of 100 KB": [("h" * 100_000, b"x")],
        "a header of 1 MB": [("h", b"\0" * MEGABYTE)],
        "a header without a name": [("", b"x")],
        "odd headers": [("\0\n\r", chance.randbytes(100)), ("\U0001f408", b"\xff\xfe")],
        "our own headers": [
            *(("source", b"catdogimage/0/0"), ("verdict", b"dog"), ("reason", b"x")),
            *(("detail", b"\xff"), ("cat", b"1e9"), ("dog", b"nan"), ("stack", b"")),
        ],
        "a broken trace": [("traceparent", b"\xff" * 300), ("tracestate", b",=,=")],
    }.items():
        yield Case(name, Message(good, headers=headers), LABEL)
        yield Case(f"{name} and no JSON", Message(b"{", headers=headers), "not_json")
    for name, url in {
        "an empty": "",
        "a large": "u" * (4 * MEGABYTE),
        "a large and wide": "\U0001f408" * (MEGABYTE // 4),
        "a script as": "<script>alert(1)</script>",
        "an odd": '\0\x7f\u2028\u202e\ufeff\ufffe"\\',
    }.items():
        yield Case(f"{name} url", Message(request(_pictures()["JPEG"], url)), LABEL)
    for time in (0, 1, 1_000_000_000_000):
        yield Case(f"of the time {time}", Message(good, timestamp_ms=time), LABEL)
