"""Reading of the response of an untrusted web server, with checks of its type and size."""

import re
import zlib
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import aiohttp

from catdog_stream.errors import FetchError, Reason

__all__ = ["Reserve", "read_body"]

Reserve = Callable[[int], Awaitable[None]]
"""Called with an upper bound on the bytes of a file, before any of them are read."""

#: Media type that is safe to quote.
_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,60}")
#: Types that servers send for files of unknown type.
_ANY_TYPE = ("", "application/octet-stream", "binary/octet-stream")

_PACKED = ("gzip", "x-gzip", "deflate")
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


async def read_body(
    response: aiohttp.ClientResponse, max_bytes: int, reserve: Reserve | None = None
) -> bytes:
    """Return the picture file. The session must not decompress the response.

    Raises:
        FetchError: the headers name no picture, or the file is empty or larger than ``max_bytes``;
            nothing is read beyond that limit.
    """
    if response.status != 200:
        raise _no_picture(response.status)
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in _ANY_TYPE and not kind.startswith("image/"):
        shown = kind if _TYPE.fullmatch(kind) else "something else"
        raise FetchError(f"The address gave {shown}, not a picture.")
    packing = response.headers.get("Content-Encoding", "identity").strip().lower() or "identity"
    if packing not in ("identity", *_PACKED):
        raise FetchError("The address gave a picture that is packed in a way that is not read.")
    if (response.content_length or 0) > max_bytes:
        raise _too_large(max_bytes)
    if reserve is not None:
        exact = packing == "identity" and response.content_length is not None
        await reserve(response.content_length or 0 if exact else max_bytes)
    body = await _read(response, max_bytes, unpack=packing in _PACKED)
    if not body:
        raise FetchError("The address gave an empty file.")
    return body


async def _read(response: aiohttp.ClientResponse, max_bytes: int, *, unpack: bool) -> bytes:
    """Read the body; decompress at most up to the limit, as a few bytes can become gigabytes."""
    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB) if unpack else None
    received, body = 0, bytearray()
    async for chunk in response.content.iter_any():
        received += len(chunk)
        if unpacker is None:
            body += chunk
        else:
            try:
                body += unpacker.decompress(chunk, max_bytes + 1 - len(body))
            except zlib.error:
                raise FetchError("The address gave a damaged file.") from None
        if max(received, len(body)) > max_bytes:
            raise _too_large(max_bytes)
    return bytes(body)


def _too_large(max_bytes: int) -> FetchError:
    return FetchError(f"The address gave a file of more than {max_bytes} bytes.", Reason.TOO_LARGE)


def _no_picture(status: int) -> FetchError:
    reason = None
    if status in (401, 403, 407):
        reason = Reason.REFERENCE_DENIED
    elif status in (404, 410):
        reason = Reason.REFERENCE_NOT_FOUND
    return FetchError(
        f"The address gave {_status(status)}, and no picture.",
        reason,
        passes=status in (408, 429) or status >= 500,
    )


def _status(status: int) -> str:
    try:
        return f"status {status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return f"status {status}"
