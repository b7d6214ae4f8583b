"""The folder of a training, beside the stack's directory, until the stack is complete.

The folder has the results of the finished steps, from which an interrupted training resumes. At the
end a rename moves the complete stack to its directory.
"""

import fcntl
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from catdog_stream.errors import InputError
from catdog_stream.models.training.head.held_out import Arrays

__all__ = ["Unfinished", "unfinished_folder"]

_ABOUT, _LOCK = "training.json", "lock"


def unfinished_folder(output: Path) -> Path:
    """Return the folder for the training of the stack ``output``."""
    return output.with_name(f"{output.name}.training")


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A training that is not complete."""

    output: Path
    folder: Path
    lock: int
    """File descriptor of the lock; open while this process uses the folder."""

    @classmethod
    def begin(
        cls, output: Path, about: Mapping[str, Any], *, resume: bool, force: bool
    ) -> "Unfinished":
        """Begin or resume the training that ``about`` describes.

        Args:
            output: the directory of the new stack.
            about: everything that determines the result.
            resume: resume an interrupted training.
            force: discard an interrupted training.

        Raises:
            InputError: the folder has another training, or cannot be written.
        """
        folder = unfinished_folder(output)
        here = json.loads(json.dumps(about))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with ExitStack() as otherwise:
                lock = _lock(folder)
                otherwise.callback(os.close, lock)
                found = _read(folder / _ABOUT)
                _refuse_other(folder, found, here, resume=resume, force=force)
                if not resume:
                    _empty(folder)
                (folder / "stack").mkdir(exist_ok=True)
                _replace(folder / _ABOUT, json.dumps(here, indent=2).encode())
                otherwise.pop_all()
        except OSError as error:
            raise InputError(f"{folder} cannot be written: {error.strerror}.") from error
        return cls(output, folder, lock)

    @property
    def stack(self) -> Path:
        """The directory of the incomplete stack."""
        return self.folder / "stack"

    @property
    def backbone(self) -> Path:
        """The folder for the checkpoints of the backbone's training."""
        return self.folder / "backbone"

    def mark(self, step: str, result: Mapping[str, Any]) -> None:
        """Store the result of a finished step."""
        _replace(self.folder / f"{step}.json", json.dumps(result).encode())

    def done(self, step: str) -> dict[str, Any] | None:
        """Return the result of a step; ``None`` if the step is not finished."""
        return _read(self.folder / f"{step}.json")

    def remember(self, name: str, compute: Callable[[], Arrays]) -> Arrays:
        """Return the arrays that were stored as ``name``, or compute and store them."""
        file = self.folder / f"{name}.npz"
        try:
            with np.load(file, allow_pickle=False) as stored:
                return dict(stored)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            pass  # missing, or truncated by a power failure
        arrays = compute()
        new = file.with_suffix(".new")
        with new.open("wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]
        new.replace(file)
        return arrays

    def publish(self) -> None:
        """Move the stack to its directory, replacing an existing one. Raises ``InputError``."""
        before = self.folder / "before"
        try:
            if self.output.is_dir():
                shutil.rmtree(before, ignore_errors=True)
                self.output.rename(before)
            self.stack.rename(self.output)
        except OSError as error:
            raise InputError(
                f"The stack cannot be put into {self.output}: {error.strerror}. "
                f"It is in {self.stack}."
            ) from error
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self.lock)


def _lock(folder: Path) -> int:
    """Lock the folder against other processes until this process ends, in any way."""
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise InputError(f"Another process is training in {folder}.") from None
    return lock


def _refuse_other(
    folder: Path,
    found: Mapping[str, Any] | None,
    here: Mapping[str, Any],
    *,
    resume: bool,
    force: bool,
) -> None:
    if found is None:
        return
    if not (resume or force):
        raise InputError(
            f"A training was stopped in {folder}: --resume goes on with it, --force starts again."
        )
    # An option that an older version did not have counts as not given.
    other = sorted(key for key in {*found, *here} if found.get(key) != here.get(key))
    if resume and other:
        raise InputError(
            f"The training in {folder} was begun otherwise ({', '.join(other)}): give it the same "
            "pictures and options, or start again with --force alone."
        )


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != _LOCK:
            path.unlink()


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _replace(file: Path, content: bytes) -> None:
    """Write ``file`` atomically."""
    new = file.with_name(f"{file.name}.new")
    with new.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)
