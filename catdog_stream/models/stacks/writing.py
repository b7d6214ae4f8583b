"""Last step of every command that makes a stack: its parts, named, and the proof that it loads."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catdog_stream.models.engines.convert import LITERT_FILE, TENSORFLOW_FILE
from catdog_stream.models.stacks.manifest import FILE_NAME, Manifest, Part, PartName, describe
from catdog_stream.models.stacks.stack import ModelStack

__all__ = ["HEAD_FILE", "NOTICE_FILE", "parts_in", "restored_on_failure", "write_loadable"]

HEAD_FILE = "head.ubj"
NOTICE_FILE = "NOTICE"
_PART_FILES: dict[PartName, str] = {
    "litert": LITERT_FILE,
    "tensorflow": TENSORFLOW_FILE,
    "head": HEAD_FILE,
}


def parts_in(directory: Path) -> dict[PartName, Part]:
    """The parts that lie in ``directory`` under their usual names."""
    return {
        part: describe(directory, file)
        for part, file in _PART_FILES.items()
        if (directory / file).is_file()
    }


def write_loadable(manifest: Manifest, directory: Path, *, threads: int) -> None:
    """Write the manifest, and load the stack from ``directory`` as a worker does.

    Raises:
        StackError: no worker could load it, or it answers its golden pictures otherwise. The
            manifest is then the one that was there before, if there was one.
        OSError: the manifest cannot be written.
    """
    with restored_on_failure(directory, FILE_NAME):
        manifest.write(directory)
        stack = ModelStack.load(directory, engine="litert", threads=threads)
        try:
            stack.check_golden(directory)
        finally:
            stack.close()


@contextmanager
def restored_on_failure(directory: Path, *files: str) -> Iterator[None]:
    """Have these files of ``directory`` be as they were before if the block fails."""
    before = {
        name: (directory / name).read_bytes() if (directory / name).is_file() else None
        for name in files
    }
    try:
        yield
    except BaseException:
        for name, content in before.items():
            if content is None:
                (directory / name).unlink(missing_ok=True)
            else:
                (directory / name).write_bytes(content)
        raise
