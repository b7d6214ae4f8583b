"""Find the files that come with the project: its stacks and the sample pictures.

In a source checkout they lie beside the package. A wheel puts them under
``share/catdog_stream/``, whose place depends on the installation (virtual environment,
``--user``, ``--prefix``, ``--target``), so the list of installed files is asked.
"""

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from catdog_stream.errors import StackError

#: The stacks that come with the project, by their names; the first is the default.
_SHIPPED = ("inception_v3", "efficientnet_lite2")
_DISTRIBUTION = "catdog-stream"
_CHECKOUT = Path(__file__).resolve().parents[3]


def default_stack() -> Path:
    """Directory of the default stack. Raises ``StackError`` if it is not there."""
    return shipped_stack(_SHIPPED[0])


def stack_directory(stack: Path | None) -> Path:
    """The directory that ``stack`` means: the default one's, itself, or a shipped one's by name.

    A directory of that name goes first. Raises ``StackError`` if a shipped one is not there.
    """
    if stack is None:
        return default_stack()
    if stack.is_dir() or str(stack) not in _SHIPPED:
        return stack
    return shipped_stack(str(stack))


def shipped_stacks() -> Iterator[Path]:
    """Directories of the stacks that come with the project, as far as they were installed."""
    for name in _SHIPPED:
        try:
            yield shipped_stack(name)
        except StackError:
            continue


def shipped_stack(name: str) -> Path:
    """Directory of a stack that comes with the project. Raises ``StackError``, too."""
    return _locate(f"weights/{name}", "manifest.json")


def samples() -> Path:
    """Directory of the sample pictures. Raises ``StackError`` if it is not there."""
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
    # pip --target moves the files after it has listed them.
    return [*places, Path(str(distribution.locate_file(share)))]
