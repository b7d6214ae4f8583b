"""Location of the files that come with the project: its stacks and the sample pictures.

An installed wheel has these folders in the package. In a source checkout, also one that is
installed editable, they lie beside the package: an editable installation of setuptools cannot add
folders without modules to a package.
"""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from catdog_stream.errors import StackError

#: Names of the stacks that come with the project; the first is the default.
_SHIPPED = ("inception_v3", "efficientnet_lite2")
_PACKAGE = Path(str(files("catdog_stream")))


def default_stack() -> Path:
    """Return the directory of the default stack. Raises ``StackError`` if it is missing."""
    return shipped_stack(_SHIPPED[0])


def stack_directory(stack: Path | None) -> Path:
    """Return the directory of ``stack``: a path, the name of a shipped stack, or the default.

    A directory takes precedence over a shipped stack of the same name.

    Raises:
        StackError: a shipped stack is missing.
    """
    if stack is None:
        return default_stack()
    if stack.is_dir() or str(stack) not in _SHIPPED:
        return stack
    return shipped_stack(str(stack))


def shipped_stacks() -> Iterator[Path]:
    """Yield the directories of the stacks that come with the project and are installed."""
    for name in _SHIPPED:
        try:
            yield shipped_stack(name)
        except StackError:
            continue


def shipped_stack(name: str) -> Path:
    """Return the directory of a shipped stack. Raises ``StackError`` if it is missing."""
    return _locate(f"weights/{name}", "manifest.json")


def samples() -> Path:
    """Return the directory of the sample pictures. Raises ``StackError`` if it is missing."""
    return _locate("samples", "CREDITS.md")


def _locate(folder: str, landmark: str) -> Path:
    for root in (_PACKAGE, _PACKAGE.parent):
        if (root / folder / landmark).is_file():
            return (root / folder).resolve()
    raise StackError(f"The files of {folder} were not installed with catdog-stream.")
