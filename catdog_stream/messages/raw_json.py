"""JSON objects whose members keep their original bytes.

A parser turns numbers into floats, which changes 2^64 and a decimal of twenty digits, and drops all
but the last of several members with the same name. All fields of a request except the picture
belong to the client, so they are copied instead of parsed and written again.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import orjson

__all__ = ["RawObject", "loads"]

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_STRING_AT = re.compile(_STRING, re.DOTALL)
#: A string, which may contain brackets, or a bracket.
_BRACKETS = re.compile(_STRING + rb"|[\[\]{}]", re.DOTALL)
_SCALAR = re.compile(rb"[^\s,\]}]+")
#: White space of JSON and the separators between members.
_BETWEEN = re.compile(rb"[\s,:]*")
_STRING_OR_NUMBER = re.compile(
    _STRING
    + rb"|(?<![\w.+-])(?P<number>-?+(?:0|[1-9]\d*+)(?:\.\d++)?+(?:[eE][+-]?+\d++)?+)(?![\w.+-])",
    re.DOTALL,
)


def loads(text: bytes | str) -> Any:
    """Parse JSON as ``orjson.loads`` does, with 0 for a number that no float can hold.

    Such a number is valid JSON, but orjson refuses the whole document.

    Raises:
        orjson.JSONDecodeError: the text is not JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if "infinity" not in error.msg:
            raise
    raw = text.encode() if isinstance(text, str) else text
    return orjson.loads(_STRING_OR_NUMBER.sub(_finite, raw))


def _finite(token: re.Match[bytes]) -> bytes:
    number = token["number"]
    if number is None:
        return token[0]
    return b"0" if float(number) in (float("inf"), -float("inf")) else number


class RawObject(Mapping[str, Any]):
    """JSON object that reads as a mapping of parsed values and keeps the bytes of each member.

    Args:
        members: name and value of each member, both as JSON, in their order.
    """

    __slots__ = ("_members", "_values")

    def __init__(self, members: Sequence[tuple[bytes, bytes]]) -> None:
        self._members = members
        self._values: dict[str, Any] | None = None

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Split an object into its members. ``loads`` must be able to read ``text``."""
        members = []
        at = text.index(b"{") + 1
        while text[(at := _skip(text, at))] != ord("}"):
            name = text[at : (at := _end(text, at))]
            at = _skip(text, at)
            members.append((name, text[at : (at := _end(text, at))]))
        return cls(members)

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """Return ``fields`` itself if it is a ``RawObject``, else as one. Raise ``TypeError``."""
        return fields if isinstance(fields, cls) else cls.parse(orjson.dumps(dict(fields)))

    def replaced(self, values: Mapping[str, bytes]) -> Self:
        """Return a copy with other values, given as JSON, for some names.

        An existing name keeps its position and appears once; a new name comes last.
        """
        left = dict(values)
        members = []
        for name, value in self._members:
            known = orjson.loads(name)
            if known in left:
                members.append((name, left.pop(known)))
            elif known not in values:
                members.append((name, value))
        members += ((orjson.dumps(name), value) for name, value in left.items())
        return type(self)(members)

    def raw(self, name: str) -> bytes:
        """Return the JSON of a member, the last with this name. Raise ``KeyError``."""
        for found, value in reversed(self._members):
            if orjson.loads(found) == name:
                return value
        raise KeyError(name)

    @property
    def json(self) -> bytes:
        """The JSON of the object, without white space between its members."""
        return b"{%b}" % b",".join(b"%b:%b" % member for member in self._members)

    def _parsed(self) -> dict[str, Any]:
        if self._values is None:
            self._values = loads(self.json)
        return self._values

    def __getitem__(self, name: str) -> Any:
        return self._parsed()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parsed())

    def __len__(self) -> int:
        return len(self._parsed())

    def __repr__(self) -> str:
        return f"RawObject({self.json!r})"


def _skip(text: bytes, at: int) -> int:
    """Return the index of the next name, value or closing bracket."""
    between = _BETWEEN.match(text, at)
    assert between is not None
    return between.end()


def _end(text: bytes, at: int) -> int:
    """Return the index after the value that begins at ``at``."""
    if text[at] == ord('"'):
        end = text.index(b'"', at + 1) + 1  # a picture in base64 has millions of plain characters
        escaped = text.find(b"\\", at, end) >= 0
        return _matched(_STRING_AT, text, at) if escaped else end
    if text[at] not in b"[{":
        return _matched(_SCALAR, text, at)
    depth = 0
    for token in _BRACKETS.finditer(text, at):
        if token[0] in (b"[", b"{"):
            depth += 1
        elif token[0] in (b"]", b"}"):
            depth -= 1
            if not depth:
                return token.end()
    raise ValueError("not JSON")


def _matched(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    match = pattern.match(text, at)
    if match is None:
        raise ValueError("not JSON")
    return match.end()
