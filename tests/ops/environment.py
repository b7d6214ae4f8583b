"""Names of environment variables, with a check that the project reads them."""

import re
from collections.abc import Mapping

from catdog_stream.settings import Settings
from tests.ops.files import OPS

__all__ = ["refusals"]

#: Python's own variables.
_PYTHON = {"PYTHONUNBUFFERED"}
_TABLE = re.compile(r"^\| `([A-Z_]+)` \|", re.MULTILINE)
_DOCUMENTED = {*_TABLE.findall((OPS.parent / "docs" / "settings.md").read_text()), *_PYTHON}


def refusals(environment: Mapping[str, str]) -> list[str]:
    """Return the unknown names. Raises ``SettingError`` if a value cannot be used."""
    Settings.from_environment(environment)
    return [name for name in environment if name not in _DOCUMENTED]
