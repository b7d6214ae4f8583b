"""Applications in ``examples/``, and the command that README.md gives for the first."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
#: Passes labels of cats on: README.md shows it.
CATS = (EXAMPLES / "cats.py").read_text()
#: Joins answers with their requests: docs/testing.md shows it.
AUDIT = (EXAMPLES / "audit.py").read_text()
#: Python classifier: docs/classifiers.md shows it.
BRIGHTNESS = (EXAMPLES / "brightness.py").read_text()


def command_for_cats() -> list[str]:
    """Return the arguments of Python in README.md's command that runs ``cats.py``."""
    found = re.search(r"run `\.venv/bin/python (cats\.py [^`]+)`", (ROOT / "README.md").read_text())
    assert found is not None
    return found[1].split()
