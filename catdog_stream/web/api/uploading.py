"""A picture as a client sends it: as the body itself, or as a form's file."""

import re

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from catdog_stream.base64_text import read_base64
from catdog_stream.web.api.body import Room, patient, soon
from catdog_stream.web.api.problems import Problem
from catdog_stream.web.api.stream import Picture
from catdog_stream.wire import Headers

__all__ = ["FORM_BYTES", "MAX_URL", "read_picture"]

#: What a form may add to its picture.
FORM_BYTES = 64 * 1024
#: Bytes of a ``url``.
MAX_URL = 8192
#: Fields of a form.
MAX_FIELDS = 8
_FORM = "multipart/form-data"
#: Values of Content-Transfer-Encoding that say that nothing is encoded (RFC 2045, 6).
_AS_IT_IS = frozenset(("binary", "8bit", "7bit"))
_TRACEPARENT = re.compile(r"[0-9a-f]{2}(-[0-9a-f]+){3}")


async def read_picture(request: web.Request, room: Room) -> Picture:
    """The picture in a request's body. Whether it is one is the stream's to say.

    Raises:
        Problem: the body is too large, empty, of another type, or not what its type says.
    """
    kind = request.content_type
    if kind == _FORM:
        data, url = await _form(request, room)
    elif kind == "application/octet-stream" or kind.startswith("image/"):
        data, url = await room.read(request), request.query.get("url")
        _check_url(url)
    else:
        raise Problem(
            415,
            "The body must be a picture (image/* or application/octet-stream) or a form "
            "(multipart/form-data).",
            headers={"Accept-Post": f"image/*, application/octet-stream, {_FORM}"},
        )
    if not data:
        raise Problem(400, "There is no picture in the body.")
    return Picture(data, url, _headers(request))


async def _form(request: web.Request, room: Room) -> tuple[bytes, str | None]:
    room.announced(request)
    found: dict[str, bytes] = {}
    try:
        async with patient():
            reader = await request.multipart()
            while (part := await soon(reader.next())) is not None:
                if len(found) >= MAX_FIELDS or not isinstance(part, BodyPartReader):
                    raise Problem(400, "The form has more than a picture and its url.")
                name = part.name or ""
                if name in found or name not in ("image", "url"):
                    raise Problem(400, "A form has one field image, a file, and may have url.")
                found[name] = await _field(part, room)
    except (ValueError, AssertionError, RuntimeError, HttpProcessingError) as error:
        raise Problem(400, "The body is not a form.") from error
    url = found.get("url")
    try:
        text = None if url is None else url.decode()
    except UnicodeDecodeError:
        raise Problem(400, "The url is not text in UTF-8.") from None
    _check_url(text)
    return found.get("image", b""), text


async def _field(part: BodyPartReader, room: Room) -> bytes:
    transfer = part.headers.get("Content-Transfer-Encoding", "").strip().lower()
    is_base64 = transfer == "base64" and "Content-Encoding" not in part.headers
    if not is_base64 and _is_encoded(part):
        raise Problem(400, "A form's fields are sent as they are or in base64.")
    value = bytearray()
    while chunk := await soon(part.read_chunk()):
        room.take(len(chunk))
        value += chunk
    if not is_base64:
        return bytes(value)
    try:
        return read_base64(value.decode("latin-1"))
    except ValueError as error:
        raise Problem(400, f"The form's field is not base64: {error}.") from None


def _is_encoded(part: BodyPartReader) -> bool:
    """Return whether the bytes of a part are not those of its field."""
    transfer = part.headers.get("Content-Transfer-Encoding", "binary")
    content = part.headers.get("Content-Encoding", "identity")
    return transfer.strip().lower() not in _AS_IT_IS or content.strip().lower() != "identity"


def _check_url(url: str | None) -> None:
    if url is not None and len(url.encode("utf-8", "surrogatepass")) > MAX_URL:
        raise Problem(400, f"The url has more than {MAX_URL} bytes.")
    if url is not None and any("\ud800" <= character <= "\udfff" for character in url):
        raise Problem(400, "The url is not text in UTF-8.")


def _headers(request: web.Request) -> Headers:
    """What goes on with the request, and comes back with its label."""
    trace = request.headers.get("traceparent", "")
    if len(trace) <= 128 and _TRACEPARENT.fullmatch(trace):
        return (("traceparent", trace.encode()),)
    return ()
