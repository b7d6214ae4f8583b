"""Picture of a request: the body itself, or a file in a form."""

import asyncio
import re

from aiohttp import web

from catdog_stream.messages.base64_text import read_base64
from catdog_stream.messages.wire import Headers
from catdog_stream.web.api.body import UploadBudget
from catdog_stream.web.api.forms import Field, read_fields
from catdog_stream.web.api.problems import Problem
from catdog_stream.web.api.stream import Picture

__all__ = ["FORM_BYTES", "MAX_URL", "read_picture"]

#: Maximum bytes of a form in addition to its picture.
FORM_BYTES = 64 * 1024
#: Maximum bytes of a ``url``.
MAX_URL = 8192
_FORM = "multipart/form-data"
#: Values of Content-Transfer-Encoding that mean no encoding (RFC 2045, 6).
_AS_IT_IS = frozenset(("binary", "8bit", "7bit"))
_BASE64 = "base64"
_TRACEPARENT = re.compile(r"[0-9a-f]{2}(-[0-9a-f]+){3}")


async def read_picture(request: web.Request, budget: UploadBudget) -> Picture:
    """Return the picture in a request's body, without a check that it is a valid picture.

    Raises:
        Problem: the body is too large, empty, of another type, or not what its type says.
    """
    kind = request.content_type
    if kind == _FORM:
        body = await budget.read(request)
        data, url = await asyncio.to_thread(_form, body, request.headers["Content-Type"])
    elif kind == "application/octet-stream" or kind.startswith("image/"):
        url = request.query.get("url")
        data = await budget.read(request)
    else:
        raise Problem(
            415,
            "The body must be a picture (image/* or application/octet-stream) or a form "
            "(multipart/form-data).",
            headers={"Accept-Post": f"image/*, application/octet-stream, {_FORM}"},
        )
    _check_url(url)
    if not data:
        raise Problem(400, "There is no picture in the body.")
    return Picture(data, url, _headers(request))


def _form(body: bytes, content_type: str) -> tuple[bytes, str | None]:
    found: dict[str, bytes] = {}
    try:
        for field in read_fields(body, content_type):
            if field.name in found or field.name not in ("image", "url"):
                raise Problem(400, "A form has one field image, a file, and may have url.")
            found[field.name] = _value(field)
    except ValueError as error:
        raise Problem(400, f"The body is not a form: {error}.") from None
    url = found.get("url")
    try:
        text = None if url is None else url.decode()
    except UnicodeDecodeError:
        raise Problem(400, "The url is not text in UTF-8.") from None
    return found.get("image", b""), text


def _value(field: Field) -> bytes:
    transfer = field.headers.get("content-transfer-encoding", "binary").lower()
    content = field.headers.get("content-encoding", "identity").lower()
    if content != "identity" or transfer not in (*_AS_IT_IS, _BASE64):
        raise Problem(400, "A form's fields are sent as they are or in base64.")
    if transfer != _BASE64:
        return field.data
    try:
        return read_base64(field.data)
    except ValueError as error:
        raise Problem(400, f"The form's field is not base64: {error}.") from None


def _check_url(url: str | None) -> None:
    if url is not None and len(url.encode("utf-8", "surrogatepass")) > MAX_URL:
        raise Problem(400, f"The url has more than {MAX_URL} bytes.")
    if url is not None and any("\ud800" <= character <= "\udfff" for character in url):
        raise Problem(400, "The url is not text in UTF-8.")


def _headers(request: web.Request) -> Headers:
    """Return the headers for the request's record, which its label repeats."""
    trace = request.headers.get("traceparent", "")
    if len(trace) <= 128 and _TRACEPARENT.fullmatch(trace):
        return (("traceparent", trace.encode()),)
    return ()
