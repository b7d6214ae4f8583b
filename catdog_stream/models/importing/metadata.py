"""Facts in the metadata that Ultralytics writes into a model: ``names``, ``imgsz``, ``author``."""

import ast
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from catdog_stream.models.importing.class_names import MAX_BYTES, names_in_document
from catdog_stream.models.importing.network import Facts
from catdog_stream.models.presets import PRESETS

__all__ = ["facts_in_metadata", "literal"]


def facts_in_metadata(source: str, metadata: Mapping[str, Any]) -> Facts:
    """Return the facts in metadata, whose values may be texts of Python or JSON."""
    classes: tuple[str, ...] = ()
    fields: dict[str, Any] = {}
    with suppress(ValueError, TypeError):
        classes = names_in_document(literal(metadata.get("names")))
    if metadata.get("author") == "Ultralytics":
        fields = {**msgspec.to_builtins(PRESETS["ultralytics"]), "size": None}
        with suppress(ValueError, TypeError):
            fields["size"], fields["width"] = literal(metadata.get("imgsz"))
    return Facts(source, classes, fields)


def literal(value: Any) -> Any:
    """Return the value of a text of JSON, or of a literal of Python; nothing is evaluated.

    Return other values than texts as they are, and ``None`` for another text.
    """
    if not isinstance(value, str) or len(value) > MAX_BYTES:
        return value
    for parse in (json.loads, ast.literal_eval):
        with suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return parse(value)
    return None
