"""JSON documents as typed values, and one sentence that names what is wrong with a document.

The types are ``msgspec`` structs, dataclasses or typed dictionaries, which declare the type and the
limits of each field. A rule that an annotation cannot express is a ``ValueError`` of
``__post_init__``, whose text begins with the name of the field. ``orjson`` or ``json`` parses the
text: they differ from msgspec in the numbers, the texts and the depth that they accept.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from reprlib import Repr
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

__all__ = ["convert", "short", "written"]

T = TypeVar("T")

_NAMES: dict[type[inspect.Type], str] = {
    inspect.NoneType: "null",
    inspect.BoolType: "true or false",
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
    inspect.StrType: "a text",
    inspect.BytesType: "base64",
    inspect.ListType: "a list",
    inspect.VarTupleType: "a list",
    inspect.DictType: "an object",
    inspect.StructType: "an object",
    inspect.DataclassType: "an object",
    inspect.TypedDictType: "an object",
}
_LIMITS = {
    "gt": "above",
    "ge": "of at least",
    "lt": "below",
    "le": "of at most",
    "min_length": "of a length of at least",
    "max_length": "of a length of at most",
    "pattern": "that matches",
}
_MESSAGE = re.compile(r"(.*?)(?: - at (`key` in )?`\$\.?([^`]*)`)?", re.DOTALL)
_STEP = re.compile(r"\w+|\.\.\.")
_type_info: Callable[[Any], inspect.Type] = cache(inspect.type_info)
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 80


def convert(document: Any, kind: type[T]) -> T:
    """Return parsed JSON as a value of type ``kind``.

    Raises:
        ValueError: the document is invalid; the text names field, value and expected type.
    """
    try:
        return msgspec.convert(document, kind, str_keys=True)
    except msgspec.ValidationError as error:
        raise ValueError(_reason(error, document, _type_info(kind))) from error


def short(value: object) -> str:
    """Return any value of a document in a few printable characters."""
    return _SHORT.repr(value)


def written(value: T) -> T:
    """Return a field's default that is written even by a struct that omits defaults."""
    default: T = msgspec.field(default_factory=lambda: value)
    return default


def _reason(error: msgspec.ValidationError, document: Any, kind: Any) -> str:
    message = _MESSAGE.fullmatch(str(error))
    assert message is not None
    problem, of_name, path = message[1], message[2], message[3] or ""
    inside, field = f"{path}." if path else "", path or "the document"
    if error.__cause__ is not None:
        return f"{inside}{error.__cause__}"
    if problem.startswith("Object missing required field"):
        return f"{inside}{problem.split('`')[1]} is missing"
    if problem.startswith("Object contains unknown field"):
        return f"{field} has the unknown {short(problem.partition('`')[2][:-1])}"
    steps = _STEP.findall(path)
    expected = _type_at(kind, steps)
    if of_name:
        field, expected = f"{field}: each name", expected.key_type
    return f"{field} must be {_in_words(expected)}, not {short(_value_at(document, steps))}"


def _in_words(kind: Any) -> str:
    """Return the expected type with its limits."""
    if isinstance(kind, inspect.UnionType):
        return " or ".join(map(_in_words, kind.types))
    if isinstance(kind, inspect.LiteralType):
        return f"one of {', '.join(map(str, kind.values))}"
    if isinstance(kind, inspect.TupleType):
        return f"a list of {len(kind.item_types)}"
    if isinstance(kind, inspect.StructType) and kind.array_like:
        return f"a list of {len(kind.fields)}"
    limits = {name: limit for name in _LIMITS if (limit := getattr(kind, name, None)) is not None}
    told = {name: f"{n:.12g}" if isinstance(n, float) else n for name, n in limits.items()}
    if told.keys() == {"ge", "le"}:
        words = f"from {told['ge']} to {told['le']}"
    else:
        words = " and ".join(f"{_LIMITS[name]} {limit}" for name, limit in told.items())
    return f"{_NAMES.get(type(kind), 'valid')} {words}".rstrip()


def _value_at(document: Any, steps: Sequence[str]) -> Any:
    """Return the value, or the object that holds it: msgspec does not state names in a mapping."""
    for step in steps:
        if step == "...":
            break
        document = document[int(step) if step.isdigit() else step]
    return document


def _type_at(kind: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        if isinstance(kind, inspect.UnionType):
            kind = next(each for each in kind.types if not isinstance(each, inspect.NoneType))
        if hasattr(kind, "fields"):  # a struct, a dataclass or a typed dictionary
            fields = {field.encode_name: field.type for field in kind.fields}
            kind = kind.fields[int(step)].type if step.isdigit() else fields[step]
        elif isinstance(kind, inspect.TupleType):
            kind = kind.item_types[int(step)]
        else:
            kind = kind.value_type if isinstance(kind, inspect.DictType) else kind.item_type
    return kind
