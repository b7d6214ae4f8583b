"""Parser for the JSON of a request that handles long texts, the pictures, separately.

Parsed JSON of small values takes 29 times its bytes, and text with one emoji four times. So long
texts stay bytes, and the size of the rest is limited.
"""

import secrets
from dataclasses import dataclass
from typing import Any

import orjson

from catdog_stream.web.api.problems import Problem

__all__ = ["LONG_TEXT", "MAX_REST", "Document", "read_document"]

#: Bytes above which a text is handled separately.
LONG_TEXT = 4096
#: Maximum bytes of JSON without the long texts.
MAX_REST = 256 * 1024

_QUOTE, _ESCAPE = b'"', b"\\"
#: Escapes that JSON encoders use in base64 (``/`` PHP, ``+`` .NET) and for its line breaks.
_ESCAPES = {
    rb"\/": b"/",
    rb"\n": b"\n",
    rb"\r": b"\r",
    rb"\t": b"\t",
    rb"\u002b": b"+",
    rb"\u002B": b"+",
    rb"\u002f": b"/",
    rb"\u002F": b"/",
    rb"\u003d": b"=",
    rb"\u003D": b"=",
}


@dataclass(frozen=True, slots=True)
class Document:
    """Parsed JSON and its long texts."""

    #: Result of ``orjson.loads``, with a short placeholder for each long text.
    content: Any
    #: Bytes of the long texts, by placeholder.
    long_texts: dict[str, memoryview]

    def take(self, text: str) -> str | bytes | memoryview:
        """Return a text, and forget a long text: as bytes with its escapes resolved."""
        found = self.long_texts.pop(text, None)
        return text if found is None else _unescaped(found)


def read_document(body: bytes, end: int) -> Document:
    """Parse the JSON in the first ``end`` bytes of ``body``, in memory of about ``MAX_REST``.

    Raises:
        Problem: the text is not JSON, or has more than ``MAX_REST`` bytes without long texts.
    """
    # Random, so that no client can guess a placeholder.
    mark = secrets.token_hex(8)
    view = memoryview(body)
    long_texts: dict[str, memoryview] = {}
    rest = bytearray()
    at = 0
    while (begin := body.find(_QUOTE, at, end)) >= 0:
        close = _closing_quote(body, begin + 1, end)
        if close - begin > LONG_TEXT:
            name = f"{mark} {len(long_texts)}"
            long_texts[name] = view[begin + 1 : close]
            _add(rest, view[at : begin + 1])
            _add(rest, name.encode())
            at = close
            _add(rest, view[at : at + 1])
        else:
            _add(rest, view[at : close + 1])
        at = close + 1
    _add(rest, view[at:end])
    try:
        return Document(orjson.loads(rest), long_texts)
    except orjson.JSONDecodeError as error:
        raise Problem(400, f"The request is not JSON: {error}.") from None


def _add(rest: bytearray, more: "bytes | memoryview") -> None:
    if len(rest) + len(more) > MAX_REST:
        raise Problem(400, f"The JSON has more than {MAX_REST} bytes beside its pictures.")
    rest += more


def _closing_quote(body: bytes, begin: int, end: int) -> int:
    """Return the index of the quote that ends a text."""
    at = begin
    while (quote := body.find(_QUOTE, at, end)) >= 0:
        first = quote
        while first > begin and body[first - 1] == _ESCAPE[0]:
            first -= 1
            if quote - first > LONG_TEXT:
                raise Problem(400, "A long text has escapes that no picture has.")
        if (quote - first) % 2 == 0:
            return quote
        if quote - begin > LONG_TEXT:
            raise Problem(400, "A long text has escapes that no picture has.")
        at = quote + 1
    raise Problem(400, "The request is not JSON: it ends within a text.")


def _unescaped(text: memoryview) -> bytes | memoryview:
    """Resolve the escapes that occur in base64; texts with other escapes are not base64."""
    data = bytes(text)
    if _ESCAPE not in data:
        return text
    for escape, character in _ESCAPES.items():
        data = data.replace(escape, character)
    return data
