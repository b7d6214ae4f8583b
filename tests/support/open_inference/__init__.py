"""The published Open Inference Protocol: see the README beside this file."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

__all__ = ["check"]


@cache
def _published() -> dict[str, Any]:
    document = json.loads((Path(__file__).parent / "dataplane.json").read_text())
    data = document["components"]["schemas"]["TensorData"]
    data["oneOf"] = [each for each in data["oneOf"] if each["type"] != "bytes"]  # no JSON type
    return dict(document)


def check(name: str, document: Any) -> None:
    """Raise ``ValidationError`` where ``document`` is not what the protocol calls ``name``."""
    schema = {**_published(), "$ref": f"#/components/schemas/{name}"}
    jsonschema.Draft202012Validator(schema).validate(document)
