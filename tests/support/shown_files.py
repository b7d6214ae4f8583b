"""Small picture files of many kinds, to compare with how a browser shows them."""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from tests.support import icc
from tests.support.bmp_files import bmp_files
from tests.support.gif_files import gif_files
from tests.support.png_files import SIGNATURE, chunk, png

__all__ = ["SIDE", "all_files", "saved", "tiff"]

SIDE = 16
_Y, _X = np.mgrid[0:SIDE, 0:SIDE]
#: Colors and greys that change under every rotation and reflection.
RGB = np.dstack([_X * 15 + 10, _Y * 15 + 10, 255 - (_X + _Y) * 8]).astype(np.uint8)
GREY = (_X * 11 + _Y * 5).astype(np.uint8)
ALPHA = (255 - _X * 16).clip(0, 255).astype(np.uint8)
RGBA = np.dstack([RGB, ALPHA])
_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF>'
    b"</x:xmpmeta>"
)

Files = Iterator[tuple[str, bytes]]


def all_files() -> dict[str, bytes]:
    """Return each file by a name that says what is special about it."""
    files: dict[str, bytes] = {}
    for made in (
        _png_samples(), _png_colors(), _png_orientation(), _png_damage(), _jpeg(), _jpeg_colors(),
        _jpeg_damage(), _webp(), gif_files(RGB), bmp_files(RGBA, GREY),
    ):  # fmt: skip
        files |= dict(made)
    return files


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return a file that Pillow writes."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def tiff(orientation: int, order: str = "<", kind: int = 3, count: int = 1) -> bytes:
    """Return EXIF data with one value: a SHORT (3) or LONG (4)."""
    head = b"II*\0" if order == "<" else b"MM\0*"
    value = struct.pack(order + ("HH" if kind == 3 else "I"), *(orientation, 0)[: 5 - kind])
    return head + struct.pack(order + "IHHHI", 8, 1, 0x0112, kind, count) + value + bytes(4)


def _palette(colors: int) -> bytes:
    return bytes(
        part
        for number in range(colors)
        for part in (number * 37 % 256, (number * 91 + 40) % 256, 255 - number * 53 % 256)
    )


def _png_samples() -> Files:
    for depth in (1, 2, 4, 8, 16):
        grey = (GREY.astype(int) * 257) >> (16 - depth)
        seen = int(grey[5, 5])
        yield f"png grey {depth}", png(grey, depth, 0)
        yield f"png grey {depth} tRNS", png(grey, depth, 0, [(b"tRNS", struct.pack(">H", seen))])
        if depth < 16:
            colors = (b"PLTE", _palette(1 << depth))
            yield f"png palette {depth}", png(grey, depth, 3, [colors])
            alphas = (b"tRNS", bytes(range(10, 10 + (1 << min(depth, 3)))))
            yield f"png palette {depth} tRNS", png(grey, depth, 3, [colors, alphas])
    deep = RGB.astype(int) * 257
    deep[4, 4] = deep[4, 5] = deep[3, 4]
    deep[4, 5, 2] ^= 7  # the same upper bytes, and not transparent
    for depth, samples in ((8, RGB), (16, deep)):
        color = (b"tRNS", struct.pack(">3H", *map(int, samples[3, 4])))
        yield f"png rgb {depth}", png(samples, depth, 2)
        yield f"png rgb {depth} tRNS", png(samples, depth, 2, [color])
    for depth, factor in ((8, 1), (16, 257)):
        both = np.dstack([GREY, ALPHA]).astype(int) * factor
        yield f"png grey and alpha {depth}", png(both, depth, 4)
        yield f"png rgba {depth}", png(RGBA.astype(int) * factor, depth, 6)
    few = (b"PLTE", _palette(100))
    yield "png indices beyond the palette", png(GREY, 8, 3, [few])
    yield "png palette in rgb", png(RGB, 8, 2, [few])
    yield "png tRNS with bits above the depth", png(GREY >> 4, 4, 0, [(b"tRNS", b"\x01\x05")])
    yield "png tRNS too short", png(GREY, 8, 0, [(b"tRNS", b"\0")])
    yield "png tRNS before PLTE", png(GREY, 8, 3, [(b"tRNS", bytes(9)), (b"PLTE", _palette(256))])
    yield "png tRNS behind pixels", png(GREY, 8, 0, (), [(b"tRNS", struct.pack(">H", 80))])
    frames = [Image.new("RGB", (SIDE, SIDE), color) for color in ("lime", "blue")]
    options = {"save_all": True, "append_images": frames, "duration": 5000}
    yield "png animated", saved(Image.fromarray(RGB), "PNG", **options)
    still = saved(Image.fromarray(RGB), "PNG", default_image=True, **options)
    yield "png animated, and another still", still


def _png_colors() -> Files:
    profile = icc.matrix_rgb()
    embedded = (b"iCCP", b"x\0\0" + zlib.compress(profile))
    linear = (b"gAMA", struct.pack(">I", 100_000))
    for gamma in (0, 10_000, 31_250, 43_000, 45_455, 47_000, 50_000, 70_000, 220_000, 2**32 - 1):
        yield f"png gAMA {gamma}", png(RGB, 8, 2, [(b"gAMA", struct.pack(">I", gamma))])
    yield "png gAMA grey", png(GREY, 8, 0, [linear])
    yield "png gAMA rgba", png(RGBA, 8, 6, [linear])
    yield "png gAMA palette", png(GREY >> 4, 4, 3, [linear, (b"PLTE", _palette(16))])
    yield "png gAMA twice", png(RGB, 8, 2, [linear, (b"gAMA", struct.pack(">I", 45_455))])
    yield "png gAMA behind pixels", png(RGB, 8, 2, (), [linear])
    yield "png gAMA and sRGB", png(RGB, 8, 2, [linear, (b"sRGB", b"\0")])
    wide = (b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))
    odd = (b"cHRM", struct.pack(">8I", 31270, 32900, 40000, 33000, 30000, 45000, 20000, 20000))
    yield "png cHRM alone", png(RGB, 8, 2, [wide])
    yield "png cHRM wide", png(RGB, 8, 2, [wide, (b"gAMA", struct.pack(">I", 45_455))])
    yield "png cHRM odd", png(RGB, 8, 2, [odd, linear])
    yield "png cHRM of zeros", png(RGB, 8, 2, [(b"cHRM", bytes(32)), linear])
    yield "png iCCP", png(RGB, 8, 2, [embedded])
    yield "png iCCP and all others", png(RGB, 8, 2, [(b"sRGB", b"\0"), linear, wide, embedded])
    yield "png iCCP rgba", png(RGBA, 8, 6, [embedded])
    yield "png iCCP palette", png(GREY >> 4, 4, 3, [embedded, (b"PLTE", _palette(16))])
    yield "png iCCP of colors for greys", png(GREY, 8, 0, [embedded])
    greys = (b"iCCP", b"x\0\0" + zlib.compress(icc.grey()))
    yield "png iCCP of greys", png(GREY, 8, 0, [greys])
    yield "png iCCP of greys, with alpha", png(np.dstack([GREY, ALPHA]), 8, 4, [greys])
    yield "png iCCP of greys for colors", png(RGB, 8, 2, [greys])
    table = (b"iCCP", b"x\0\0" + zlib.compress(icc.lookup_rgb()))
    yield "png iCCP table", png(RGB, 8, 2, [table])
    inks = (b"iCCP", b"x\0\0" + zlib.compress(icc.cmyk()))
    yield "png iCCP of inks", png(RGB, 8, 2, [inks])
    yield "png iCCP broken, and gAMA", png(RGB, 8, 2, [(b"iCCP", b"x\0\0garbage"), linear])
    for size in (1_500_000, 5_000_000):
        long = struct.pack(">I", size) + profile[4:] + bytes(size - len(profile))
        yield f"png iCCP {size} bytes", png(RGB, 8, 2, [(b"iCCP", b"x\0\0" + zlib.compress(long))])
    for code in ((1, 13), (12, 13), (9, 1), (1, 8), (1, 4), (1, 5), (12, 8), (5, 6), (22, 13)):
        yield f"png cICP {code}", png(RGB, 8, 2, [(b"cICP", bytes([*code, 0, 1]))])
    yield "png cICP and iCCP", png(RGB, 8, 2, [(b"cICP", bytes([1, 8, 0, 1])), embedded])


def _png_orientation() -> Files:
    for orientation in range(1, 9):
        yield f"png eXIf {orientation}", png(RGB, 8, 2, [(b"eXIf", tiff(orientation))])
    yield "png eXIf behind pixels", png(RGB, 8, 2, (), [(b"eXIf", tiff(6))])
    yield "png eXIf as in a JPEG", png(RGB, 8, 2, [(b"eXIf", b"Exif\0\0" + tiff(6))])
    text = b"XML:com.adobe.xmp\0\0\0\0\0" + _XMP
    yield "png XMP orientation", png(RGB, 8, 2, [(b"iTXt", text)])


def _png_damage() -> Files:
    whole = png(RGB, 8, 2)
    yield "png without IEND", whole[:-12]
    yield "png without its last checksum", whole[:-16]
    yield "png with data behind", whole + b"PK\3\4" * 99
    flawed = {
        b"tEXt": b"Comment\0hi", b"gAMA": struct.pack(">I", 100_000), b"eXIf": tiff(6),
        b"iCCP": b"x\0\0" + zlib.compress(icc.matrix_rgb()), b"tRNS": bytes(6),
    }  # fmt: skip
    for kind, content in flawed.items():
        yield (
            f"png {kind.decode()} with a wrong checksum",
            (whole[:33] + chunk(kind, content, flaw=1) + whole[33:]),
        )
    place = whole.index(b"IDAT") + 4
    pixels = whole[place:-16]
    head, end = SIGNATURE + whole[8:33], chunk(b"IEND", b"")
    yield "png IDAT with a wrong checksum", head + chunk(b"IDAT", pixels, flaw=1) + end
    yield (
        "png of many IDAT",
        (head + b"".join(chunk(b"IDAT", bytes([byte])) for byte in pixels) + end),
    )
    yield "png with zlib's checksum wrong", head + chunk(b"IDAT", pixels[:-4] + b"\1\2\3\4") + end
    yield (
        "png with too many pixels in it",
        (head + chunk(b"IDAT", zlib.compress(zlib.decompress(pixels) + bytes(100))) + end),
    )
    bomb = (b"zTXt", b"bomb\0\0" + zlib.compress(bytes(5_000_000)))
    yield "png with a text of 5 MB", png(RGB, 8, 2, [bomb])


def _app(number: int, content: bytes) -> bytes:
    return bytes([0xFF, 0xE0 + number]) + struct.pack(">H", len(content) + 2) + content


def _jpeg() -> Files:
    image = Image.fromarray(RGB)
    for name, subsampling in (("4:4:4", 0), ("4:2:2", 1), ("4:2:0", 2)):
        yield f"jpeg {name}", saved(image, "JPEG", quality=95, subsampling=subsampling)
    yield "jpeg progressive", saved(image, "JPEG", quality=90, progressive=True)
    yield "jpeg grey", saved(Image.fromarray(GREY), "JPEG", quality=90)
    yield "jpeg stored as rgb", saved(image, "JPEG", quality=95, keep_rgb=True)
    plain = saved(image, "JPEG", quality=95)

    def with_exif(*contents: bytes) -> bytes:
        return plain[:2] + b"".join(_app(1, each) for each in contents) + plain[2:]

    for orientation in range(10):
        yield f"jpeg EXIF {orientation}", with_exif(b"Exif\0\0" + tiff(orientation))
    yield "jpeg EXIF big-endian", with_exif(b"Exif\0\0" + tiff(6, ">"))
    yield "jpeg EXIF LONG", with_exif(b"Exif\0\0" + tiff(6, kind=4))
    yield "jpeg EXIF of two values", with_exif(b"Exif\0\0" + tiff(6, count=2))
    yield "jpeg EXIF twice", with_exif(b"Exif\0\0" + tiff(6), b"Exif\0\0" + tiff(3))
    yield "jpeg EXIF broken, then whole", with_exif(b"Exif\0\0?", b"Exif\0\0" + tiff(3))
    yield "jpeg EXIF cut off", with_exif(b"Exif\0\0" + tiff(6)[:-6])
    yield "jpeg XMP orientation", with_exif(b"http://ns.adobe.com/xap/1.0/\0" + _XMP)


def _jpeg_colors() -> Files:
    image, grey, profile = Image.fromarray(RGB), Image.fromarray(GREY), icc.matrix_rgb()
    inks = Image.fromarray(np.dstack([RGB, GREY]), "CMYK")
    yield "jpeg cmyk", saved(inks, "JPEG", quality=95)
    yield "jpeg cmyk, profile of colors", saved(inks, "JPEG", quality=95, icc_profile=profile)
    uncolored = np.dstack([RGB, np.zeros_like(GREY)])
    paper = Image.fromarray(uncolored, "CMYK")
    yield "jpeg cmyk, profile", saved(paper, "JPEG", quality=95, icc_profile=icc.cmyk())
    yield "jpeg profile", saved(image, "JPEG", quality=95, icc_profile=profile)
    table = icc.lookup_rgb()
    yield "jpeg profile table", saved(image, "JPEG", quality=95, icc_profile=table)
    yield "jpeg grey, profile", saved(grey, "JPEG", quality=95, icc_profile=icc.grey())
    yield "jpeg grey, profile of colors", saved(grey, "JPEG", quality=95, icc_profile=profile)
    yield "jpeg profile of inks", saved(image, "JPEG", quality=95, icc_profile=icc.cmyk())
    yield "jpeg broken profile", saved(image, "JPEG", quality=95, icc_profile=b"garbage" * 30)
    long = struct.pack(">I", 150_000) + profile[4:] + bytes(150_000 - len(profile))
    yield "jpeg profile in parts", saved(image, "JPEG", quality=95, icc_profile=long)
    plain = saved(image, "JPEG", quality=95)
    first, second = (
        _app(2, b"ICC_PROFILE\0" + bytes([number, 2]) + part)
        for number, part in ((1, profile[:99]), (2, profile[99:]))
    )
    yield "jpeg parts in the wrong order", plain[:2] + second + first + plain[2:]
    yield "jpeg part of a profile missing", plain[:2] + first + plain[2:]


def _jpeg_damage() -> Files:
    image = Image.fromarray(np.kron(RGB, np.ones((4, 4, 1), np.uint8)))
    plain = saved(image, "JPEG", quality=90)
    progressive = saved(image, "JPEG", quality=90, progressive=True)
    yield "jpeg with scans behind it", plain + b"\xff\xda\0\x0c" * 100
    yield "jpeg with a jpeg behind it", plain + progressive
    yield "jpeg with fill bytes", plain[:2] + b"\xff\xff\xff" + plain[2:]
    place = plain.index(b"\xff\xda")
    yield "jpeg with garbage between segments", plain[:place] + b"\0\1\2\3" + plain[place:]
    middle = len(plain) // 2
    yield "jpeg with two wrong bytes", plain[:middle] + b"\x55\xaa" + plain[middle + 2 :]
    restarts = saved(image, "JPEG", quality=90, restart_marker_blocks=2)
    yield "jpeg with restarts", restarts
    for share in (0.5, 0.7, 0.9, 0.97):
        yield f"jpeg progressive, {share:.0%} of it", progressive[: int(len(progressive) * share)]
    yield "jpeg progressive without an end", progressive[:-2]


def _webp() -> Files:
    image, alpha, profile = Image.fromarray(RGB), Image.fromarray(RGBA), icc.matrix_rgb()
    plain = saved(image, "WEBP", lossless=True)
    yield "webp lossless", plain
    yield "webp lossy", saved(image, "WEBP", quality=90)
    yield "webp lossless rgba", saved(alpha, "WEBP", lossless=True, exact=True)
    yield "webp lossy rgba", saved(alpha, "WEBP", quality=90)
    colored = saved(image, "WEBP", lossless=True, icc_profile=profile)
    yield "webp profile", colored
    yield (
        "webp profile without its flag",
        (colored[:20] + bytes([colored[20] & ~0x20]) + colored[21:]),
    )
    yield "webp profile rgba", saved(alpha, "WEBP", lossless=True, exact=True, icc_profile=profile)
    yield "webp profile of greys", saved(image, "WEBP", lossless=True, icc_profile=icc.grey())
    yield "webp EXIF orientation", saved(image, "WEBP", lossless=True, exif=tiff(6))
    yield "webp XMP orientation", saved(image, "WEBP", lossless=True, xmp=_XMP)
    yield "webp with data behind", plain + b"x" * 50
    options = {"save_all": True, "append_images": [Image.new("RGB", (SIDE, SIDE), "lime")]}
    yield "webp animated", saved(image, "WEBP", lossless=True, duration=5000, **options)
    yield (
        "webp animated, profile",
        saved(image, "WEBP", lossless=True, duration=5000, icc_profile=profile, **options),
    )
