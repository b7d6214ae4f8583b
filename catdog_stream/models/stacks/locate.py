"""Location of the files that come with the project: its stacks and the sample pictures.

In a source checkout the files lie beside the package. A wheel installs them in
``share/catdog_stream/``. The path of this folder depends on the installation (virtual environment,
``--user``, ``--prefix``, ``--target``), so it is taken from the list of installed files.
"""

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from catdog_stream.errors import StackError

#: Names of the stacks that come with the project; the first is the default.
_SHIPPED = ("inception_v3", "efficientnet_lite2")
_DISTRIBUTION = "catdog-stream"
_CHECKOUT = Path(__file__).resolve().parents[3]


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
    places = [_CHECKOUT / folder] if (_CHECKOUT / "setup.cfg").is_file() else []
    places += _installed(folder, landmark)
    for place in places:
        if (place / landmark).is_file():
            return place.resolve()
    raise StackError(f"The files of {folder} were not installed with {_DISTRIBUTION}.")


def _installed(folder: str, landmark: str) -> list[Path]:
    try:
        distribution = metadata.distribution(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return []
    share = f"share/catdog_stream/{folder}"
    places = [
        Path(str(distribution.locate_file(file))).parent
        for file in distribution.files or []
        if file.as_posix().endswith(f"{share}/{landmark}")
    ]
    # pip --target moves the files after it has written the list.
    return [*places, Path(str(distribution.locate_file(share)))]
