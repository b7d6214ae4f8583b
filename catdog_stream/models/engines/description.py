"""``backbone.json``: the description of a backbone that is not yet part of a stack.

The file has ``network``, ``input`` and ``features`` as in a manifest. ``convert`` writes the file,
and ``train-head`` reads it to turn the directory into a stack.
"""

import json
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from catdog_stream.documents import convert
from catdog_stream.errors import StackError
from catdog_stream.models.engines.networks import NetworkName
from catdog_stream.models.preprocessing import Preprocessing

__all__ = ["DESCRIPTION_FILE", "Description"]

DESCRIPTION_FILE = "backbone.json"


class Description(msgspec.Struct, frozen=True, rename={"preprocessing": "input"}):
    """Description of a backbone, independent of the engine."""

    network: NetworkName
    preprocessing: Preprocessing
    features: Annotated[int, Meta(ge=1)]
    """Number of features for a picture."""

    def write(self, directory: Path) -> None:
        """Write ``backbone.json`` into ``directory``."""
        text = json.dumps(msgspec.to_builtins(self), indent=2)
        (directory / DESCRIPTION_FILE).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, directory: Path) -> "Description":
        """Read ``backbone.json`` in ``directory``. Raises ``StackError``."""
        file = directory / DESCRIPTION_FILE
        try:
            return convert(json.loads(file.read_bytes()), cls)
        except OSError as error:
            raise StackError(f"{file} cannot be read: {error.strerror}.") from error
        except (ValueError, RecursionError) as error:
            raise StackError(f"{file} does not describe a backbone: {error}.") from error
