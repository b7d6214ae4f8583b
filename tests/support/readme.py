"""The example of a chained agent, as it stands in README.md."""

import re
from pathlib import Path

_README = (Path(__file__).parents[2] / "README.md").read_text()
_SECTION = _README.partition("## Chain an agent of your own")[2]


def _found(pattern: str) -> str:
    match = re.search(pattern, _SECTION, re.DOTALL)
    assert match is not None
    return match[1]


#: The program.
CHAINED_AGENT = _found(r"```python\n(.*?)```")
#: The arguments of Python that run it.
CHAINED_ARGUMENTS = _found(r"run `\.venv/bin/python (cats\.py [^`]+)`").split()
