"""Parser for forms of browsers: ``multipart/form-data`` (RFC 7578, RFC 2046, 5.1.1)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiohttp.helpers import parse_mimetype

__all__ = ["Field", "read_fields"]

#: Maximum characters of a boundary (RFC 2046, 5.1.1).
MAX_BOUNDARY = 70
#: Maximum bytes of the header lines of one field.
MAX_HEAD = 8192
_BREAK = b"\r\n"
_PARAMETER = re.compile(r';\s*([\w*-]+)=("(?:[^"\\]|\\.)*"|[^;"]*)')


@dataclass(frozen=True, slots=True)
class Field:
    """Field of a form."""

    name: str
    #: Names in lower case; of a repeated header, the last value.
    headers: Mapping[str, str]
    data: bytes


def read_fields(body: bytes, content_type: str) -> Iterator[Field]:
    """Yield the fields of a form one by one, in time and memory in proportion to ``body``.

    Only one line break may precede the first boundary. The ``Content-Length`` of a field is
    ignored.

    Raises:
        ValueError: the body is not a form.
    """
    boundary = _boundary(content_type)
    start = len(_BREAK) if body.startswith(_BREAK) else 0
    if not body.startswith(boundary, start):
        raise ValueError("it does not begin with its boundary")
    at = start + len(boundary)
    while not body.startswith(b"--", at):
        # Without header lines, the empty line follows the boundary directly.
        blank = body.find(_BREAK + _BREAK, at, at + MAX_HEAD)
        if blank < 0 or not body.startswith(_BREAK, at):
            raise ValueError("a field has no header lines that can be read")
        headers = _headers(body[at:blank])
        begin = blank + 2 * len(_BREAK)
        end = body.find(_BREAK + boundary, begin)
        if end < 0:
            raise ValueError("it ends within a field")
        yield Field(_name(headers), headers, body[begin:end])
        at = end + len(_BREAK) + len(boundary)


def _boundary(content_type: str) -> bytes:
    boundary = parse_mimetype(content_type).parameters.get("boundary", "")
    if not 1 <= len(boundary) <= MAX_BOUNDARY or not boundary.isascii():
        raise ValueError(f"its type names no boundary of 1 to {MAX_BOUNDARY} characters")
    return b"--" + boundary.encode()


def _headers(head: bytes) -> dict[str, str]:
    headers = {}
    for line in filter(None, head.decode("utf-8", "replace").split("\r\n")):
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise ValueError("a field has a line that is no header")
        headers[name.lower()] = value.strip()
    return headers


def _name(headers: Mapping[str, str]) -> str:
    """Return the parameter ``name`` of a field's ``Content-Disposition``, empty without one."""
    kind, _, rest = headers.get("content-disposition", "").partition(";")
    if kind.strip().lower() != "form-data":
        return ""
    # A quoted file name may contain ``name=``.
    parameters = {found[1].lower(): found[2] for found in _PARAMETER.finditer(";" + rest)}
    return parameters.get("name", "").strip('"')
