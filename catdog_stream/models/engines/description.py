"""``backbone.json``: the description of a backbone that is not yet part of a stack.

The file has ``network``, ``input`` and ``features`` as in a manifest. ``convert`` writes the file,
and ``train-head`` reads it to turn the directory into a stack.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from catdog_stream.errors import StackError
from catdog_stream.models.engines.networks import NetworkName
from catdog_stream.models.preprocessing import Preprocessing

__all__ = ["DESCRIPTION_FILE", "Description"]

DESCRIPTION_FILE = "backbone.json"


@dataclass(frozen=True, slots=True)
class Description:
    """Description of a backbone, independent of the engine."""

    network: NetworkName
    preprocessing: Preprocessing
    features: int
    """Number of features for a picture."""

    def write(self, directory: Path) -> None:
        """Write ``backbone.json`` into ``directory``."""
        document = {
            "network": self.network,
            "input": self.preprocessing.as_json(),
            "features": self.features,
        }
        text = json.dumps(document, indent=2)
        (directory / DESCRIPTION_FILE).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, directory: Path) -> "Description":
        """Read ``backbone.json`` in ``directory``. Raises ``StackError``."""
        file = directory / DESCRIPTION_FILE
        try:
            return _parse(json.loads(file.read_bytes()))
        except OSError as error:
            raise StackError(f"{file} cannot be read: {error.strerror}.") from error
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise StackError(f"{file} does not describe a backbone: {reason}.") from error


def _parse(document: Any) -> Description:
    if not isinstance(document, dict):
        raise TypeError("it must be an object")
    network, features = document["network"], document["features"]
    if network not in get_args(NetworkName):
        raise ValueError(f"network must be one of {', '.join(get_args(NetworkName))}")
    if not isinstance(features, int) or isinstance(features, bool) or features < 1:
        raise ValueError("features must be a whole number of at least 1")
    return Description(network, Preprocessing.parse(document["input"]), features)
