"""Find the files that come with the project: the default stack and the sample pictures.

In a source checkout they lie beside the package. A wheel puts them under
``share/catdog_stream/``, whose place depends on the installation (virtual environment,
``--user``, ``--prefix``, ``--target``), so the list of installed files is asked.
"""

from importlib import metadata
from pathlib import Path

from catdog_stream.errors import StackError

_DISTRIBUTION = "catdog-stream"
_CHECKOUT = Path(__file__).resolve().parents[3]


def default_stack() -> Path:
    """Directory of the default stack. Raises ``StackError`` if it is not there."""
    return shipped_stack("inception_v3")


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
