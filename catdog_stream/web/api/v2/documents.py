"""The JSON of a request, with the long texts in it, its pictures, read apart.

JSON of small values takes 29 times its bytes once it is parsed, and a text with one emoji in it
four times. So long texts stay bytes, and what is left is limited.
"""

import secrets
from dataclasses import dataclass
from typing import Any

import orjson

from catdog_stream.web.api.problems import Problem

__all__ = ["LONG_TEXT", "MAX_REST", "Document", "read_document"]

#: Bytes of a text above which it is read apart.
LONG_TEXT = 4096
#: Bytes of JSON beside the long texts.
MAX_REST = 256 * 1024

_QUOTE, _ESCAPE = b'"', b"\\"
#: What encoders of JSON escape of base64 (``/`` PHP, ``+`` .NET) and of its line breaks.
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
    """JSON with its long texts beside it."""

    #: As ``orjson.loads`` has it, with a short text in the place of each long one.
    content: Any
    #: The bytes of the long texts, by what stands in their places.
    long_texts: dict[str, memoryview]

    def take(self, text: str) -> str | bytes | memoryview:
        """Return a text, and forget it if it is a long one: bytes with its escapes resolved."""
        found = self.long_texts.pop(text, None)
        return text if found is None else _unescaped(found)


def read_document(body: bytes, end: int) -> Document:
    """Read the JSON in the first ``end`` bytes of ``body``, in memory of some ``MAX_REST``.

    Raises ``Problem`` for what is none, or has more than that beside its long texts.
    """
    # Nobody can guess what stands for a text.
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
    """Return the place of the quote that ends a text."""
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
    """Return a text without the escapes that occur in base64; others are no base64 in any case."""
    data = bytes(text)
    if _ESCAPE not in data:
        return text
    for escape, character in _ESCAPES.items():
        data = data.replace(escape, character)
    return data
