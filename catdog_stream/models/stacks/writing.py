"""Last step of every command that creates a stack: write the manifest and test that it loads."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catdog_stream.models.engines.convert import LITERT_FILE, ONNX_FILE, TENSORFLOW_FILE
from catdog_stream.models.stacks.loading import cpu_engine
from catdog_stream.models.stacks.manifest import FILE_NAME, Manifest, Part, PartName, describe
from catdog_stream.models.stacks.stack import ModelStack

__all__ = [
    "HEAD_FILE",
    "LINEAR_HEAD_FILE",
    "NOTICE_FILE",
    "parts_in",
    "restored_on_failure",
    "write_loadable",
]

HEAD_FILE, LINEAR_HEAD_FILE = "head.ubj", "head.npz"
NOTICE_FILE = "NOTICE"
_PART_FILES: dict[str, PartName] = {
    LITERT_FILE: "litert",
    TENSORFLOW_FILE: "tensorflow",
    ONNX_FILE: "onnx",
    HEAD_FILE: "head",
    LINEAR_HEAD_FILE: "head",
}


def parts_in(directory: Path) -> dict[PartName, Part]:
    """Return the parts that exist in ``directory`` under their standard file names."""
    return {
        part: describe(directory, file)
        for file, part in _PART_FILES.items()
        if (directory / file).is_file()
    }


def write_loadable(manifest: Manifest, directory: Path, *, threads: int) -> None:
    """Write the manifest, and load the stack from ``directory`` as a worker does.

    On failure the former manifest, if any, is restored.

    Raises:
        StackError: a worker could not load the stack, or its golden pictures get other scores.
        OSError: the manifest cannot be written.
    """
    with restored_on_failure(directory, FILE_NAME):
        manifest.write(directory)
        stack = ModelStack.load(directory, engine=cpu_engine(manifest), threads=threads)
        try:
            stack.check_golden(directory)
        finally:
            stack.close()


@contextmanager
def restored_on_failure(directory: Path, *files: str) -> Iterator[None]:
    """Restore these files of ``directory`` to their former content if the block fails."""
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
